"""A network run on the meta device: shapes alone, without memory or arithmetic."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Ghost(nn.Module):
    """A module and one of its methods, so that `functional_call` can replace the weights under the method."""

    def __init__(self, module: nn.Module, method: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.module = module
        # In a tuple: a method that is the module itself would be registered as a second part with the same weights.
        self.methods = (method,)

    def forward(self, x: Tensor) -> Any:
        """Return what the method returns."""
        return self.methods[0](x)


def meta_run(model: nn.Module, method: Callable[[Tensor], Any], shape: Sequence[int]) -> Any:
    """Return ``method(x)`` for an x of this shape, on the meta device: shapes alone, no memory and no arithmetic.

    `method` is the model or one of its methods; the model is in eval mode meanwhile and left as it was found.
    """
    ghost = Ghost(model, method)
    weights = {name: tensor.to("meta") for name, tensor in (*ghost.named_parameters(), *ghost.named_buffers())}
    kinds = [tensor.dtype for tensor in weights.values() if tensor.is_floating_point()]
    modes = {module: module.training for module in model.modules()}
    model.eval()
    x = torch.empty(tuple(shape), device="meta", dtype=kinds[0] if kinds else None)
    try:
        with torch.no_grad():
            return torch.func.functional_call(ghost, weights, (x,))
    finally:
        for module, mode in modes.items():
            module.training = mode

"""Shape inference: run a network only for its output shapes, at the lowest cost."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from convscope.modules import eval_mode

MAX_REAL_PIXELS = 64 * 64
"""Pixels up to which a network runs on zeros on the CPU: 15 ms for a ResNet-18. The meta device avoids the arithmetic,
but has a larger Python overhead per operation, and its first use takes a second to import PyTorch's compiler."""


class MethodModule(nn.Module):
    """Calls one method of a module, so that `functional_call` can substitute the parameters that the method uses."""

    def __init__(self, module: nn.Module, method: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.module = module
        # In a tuple: a method that is the module itself would be registered as a second submodule.
        self.methods = (method,)

    def forward(self, x: Tensor) -> Any:
        """Return the output of the method."""
        return self.methods[0](x)


def run_on_meta(model: nn.Module, method: Callable[[Tensor], Any], shape: Sequence[int]) -> Any:
    """Return ``method(x)`` for an x of this shape; only the shapes of the result are meaningful.

    For small images the network runs on zeros, with parameters of zeros if it is on the meta device; for all others a
    copy runs on the meta device, without memory or arithmetic. `method` is the model or one of its methods. The model
    is in eval mode during the call; its mode is restored afterwards.
    """
    tensors = dict(chain(model.named_parameters(), model.named_buffers()))
    dtypes = [tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()]
    runs_on_cpu = {tensor.device.type for tensor in tensors.values()} <= {"cpu", "meta"} and {*dtypes} <= {
        torch.float32
    }
    device = "cpu" if runs_on_cpu and shape[0] * math.prod(shape[2:]) <= MAX_REAL_PIXELS else "meta"
    substitutes = {f"module.{name}": on_device(device, tensor) for name, tensor in tensors.items()}
    with eval_mode(model), torch.no_grad():
        x = torch.zeros(tuple(shape), device=device, dtype=dtypes[0] if dtypes else None)
        return torch.func.functional_call(MethodModule(model, method), substitutes, (x,))


def on_device(device: str, tensor: Tensor) -> Tensor:
    """Return the tensor if it is on `device`, else zeros of its shape there."""
    return tensor if tensor.device.type == device else torch.zeros_like(tensor, device=device)

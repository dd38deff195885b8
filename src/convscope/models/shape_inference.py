"""A network run for the shapes that it gives, as cheaply as can be."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from convscope.modules import eval_mode

MAX_REAL_PIXELS = 64 * 64
"""Pixels up to which zeros are sent through a network on the CPU: 15 ms for a ResNet-18. The meta device spares the
arithmetic, but needs more of Python for each operation, and a second at its first for importing PyTorch's compiler."""


class MethodModule(nn.Module):
    """A module and one of its methods, so that `functional_call` can replace the weights under the method."""

    def __init__(self, module: nn.Module, method: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.module = module
        # In a tuple: a method that is the module itself would be registered as a second part with the same weights.
        self.methods = (method,)

    def forward(self, x: Tensor) -> Any:
        """Return what the method returns."""
        return self.methods[0](x)


def run_on_meta(model: nn.Module, method: Callable[[Tensor], Any], shape: Sequence[int]) -> Any:
    """Return ``method(x)`` for an x of this shape, of which nothing but the shapes counts.

    Zeros of small images go through the network itself, or through weights of zeros where it lies on the meta device;
    all others go through a copy on the meta device, without memory and without arithmetic. `method` is the model or one
    of its methods; the model is in eval mode meanwhile and left as it was found.
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
    """Return a tensor that is there, or one of its shape that can stand for it there."""
    return tensor if tensor.device.type == device else torch.zeros_like(tensor, device=device)

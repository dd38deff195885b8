"""Redirected ReLU gradients, with which inactive units can be optimised.

For a noise image, a deep channel is often zero everywhere. Its gradient is then zero too, and the optimisation never
starts.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class RedirectedReLU(TorchFunctionMode):
    """While active, a ReLU that passes no gradient for a silent image passes the gradients that increase its inputs.

    Olah et al. 2017, "Feature Visualization", redirected ReLU gradients (from Lucid's code). Gradients are those of
    a loss to minimise. If any gradient passes, nothing changes.

    Args:
        silent: (B,) bool, the images to which this applies; None is all.
    """

    def __init__(self, silent: Tensor | None = None) -> None:
        super().__init__()
        self._silent = silent

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name not in ("relu", "relu_"):
            return function(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        in_place = name == "relu_" or (len(args) > 1 and args[1]) or kwargs.get("inplace", False)
        result = _Relu.apply(x, self._silent)  # type: ignore[no-untyped-call]
        return x.copy_(result) if in_place else result


class _Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, silent: Tensor | None) -> Tensor:
        ctx.save_for_backward(x > 0)
        ctx.silent = silent
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (active,), (gradient,) = ctx.saved_tensors, gradients
        plain = gradient * active
        passes = plain.flatten(1).any(1)
        if ctx.silent is not None:
            passes |= ~ctx.silent
        return torch.where(passes[:, *(None,) * (gradient.ndim - 1)], plain, gradient.clamp(max=0)), None

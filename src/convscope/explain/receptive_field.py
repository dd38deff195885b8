"""Receptive field of a layer, for any network: traced through the functions that it calls, not read from its modules.

Every operation is replaced by the simplest operation with the same support and only positive gradients: a convolution
by a mean, max-pooling by average pooling, an activation by the identity. A pixel is then in a unit's receptive field if
and only if its gradient is not zero, and two units at opposite corners determine the receptive fields of all units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convscope.explain.hooks import record


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive fields of a layer's units for one input size; each pair is (vertical, horizontal).

    Attributes:
        layer: the layer's name.
        image: height and width of the input in pixels.
        size: of a receptive field in pixels, at most the size of the image.
        stride: pixels between the receptive fields of neighbouring units.
        starts: first row and column of unit (0, 0)'s receptive field, before clipping to the image.
        stops: its last row and column plus 1.
    """

    layer: str
    image: tuple[int, int]
    size: tuple[int, int]
    stride: tuple[float, float]
    starts: tuple[float, float]
    stops: tuple[float, float]

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return the receptive field of a unit, clipped to the image, as x1, y1, x2, y2 in pixels."""
        edges = []
        for axis, index in enumerate((row, column)):
            low = int(np.floor(self.starts[axis] + self.stride[axis] * index))
            high = int(np.ceil(self.stops[axis] + self.stride[axis] * index))
            edges.append((max(0, low), min(self.image[axis], high)))
        (top, bottom), (left, right) = edges
        return left, top, right, bottom

    def to_json(self) -> dict[str, Any]:
        """Return the layer, and the image size, field size and stride in pixels."""
        pairs = {"image": self.image, "size": self.size, "stride": self.stride}
        return {"layer": self.layer, **{name: list(pair) for name, pair in pairs.items()}}


def receptive_field(model: nn.Module, layer: str, x: Tensor) -> ReceptiveField:
    """Compute the receptive field of a layer's units for inputs of the size of x.

    Araujo et al. 2019 (distill.pub, "Computing receptive fields") define it; here it is traced, see the
    module docstring. Global operations that only scale or normalise (squeeze-excite, statistics of a norm layer) are
    not counted; after global pooling the receptive field is the whole image.

    Args:
        model: any network.
        layer: a layer that returns maps (B, C, h, w) or vectors (B, C).
        x: (B, C, H, W); only its shape is used.
    Raises:
        ModelError: no such layer.
    """
    height, width = (int(length) for length in x.shape[2:])
    image = height, width
    with record(model, layer, gradients=True) as kept:
        pixels = torch.ones_like(x[:1], dtype=torch.float64).requires_grad_()
        with _PositiveGradients():
            model(pixels)
        output = kept[layer]
        if output.ndim != 4 or output.is_leaf:  # vectors, or detached from the pixels by global pooling
            return ReceptiveField(layer, image, image, image, (0, 0), image)
        (top, bottom, down), (left, right, across) = (_axis(output, pixels, axis) for axis in (0, 1))
    size = min(height, round(bottom - top)), min(width, round(right - left))
    return ReceptiveField(layer, image, size, (down, across), (top, left), (bottom, right))


def _axis(output: Tensor, pixels: Tensor, axis: int) -> tuple[float, float, float]:
    """Return the unclipped start and stop of unit 0's receptive field along an axis, and the stride.

    The start of unit 0 and the stop of the last unit are clipped at the border; the opposite edges are not, unless a
    receptive field spans the image, in which case the result does not depend on them.
    """
    units, length = output.shape[2 + axis], pixels.shape[2 + axis]

    def edges(unit: int) -> tuple[int, int]:
        position = [output.shape[2] // 2, output.shape[3] // 2]
        position[axis] = unit
        (gradient,) = torch.autograd.grad(output[0, :, position[0], position[1]].sum(), pixels, retain_graph=True)
        support = gradient[0].sum((0, 2 - axis)).nonzero()
        return (int(support.min()), int(support.max()) + 1) if len(support) else (0, length)

    first_stop, last_start = edges(0)[1], edges(units - 1)[0]
    stride = length / units
    for gap in (8, 4, 2, 1):  # a wide gap first: after upsampling, neighbours share a receptive field
        if gap < units and (stop := edges(gap)[1]) < length:
            stride = (stop - first_stop) / gap
            break
        if gap < units and (start := edges(units - 1 - gap)[0]) > 0:
            stride = (last_start - start) / gap
            break
    return last_start - stride * (units - 1), float(first_stop), stride


class _PositiveGradients(TorchFunctionMode):
    """Replace each function by one with the same support whose gradients are all positive."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if function in _MAX_POOLS:
            return _mean_pool(*args, **kwargs)
        name = getattr(function, "__name__", "")
        if name in _WEIGHTED:
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            uniform = torch.full_like(weight, 1 / weight[0].numel(), dtype=torch.float64)
            rest = args[3:]
            options = {key: value for key, value in kwargs.items() if key not in ("input", "weight", "bias")}
            return function(args[0] if args else kwargs["input"], uniform, None, *rest, **options)
        if name in _POINTWISE:
            return args[0] if args else kwargs["input"]
        if name in _ADAPTIVE_POOLS and _is_one(args[1] if len(args) > 1 else kwargs.get("output_size")):
            return F.adaptive_avg_pool2d(args[0] if args else kwargs["input"], 1).detach()
        if name in ("mean", "amax") and _is_global(args, kwargs):
            return function(*args, **kwargs).detach()
        if name == "adaptive_max_pool2d" or function is F.adaptive_max_pool2d:
            return F.adaptive_avg_pool2d(*args[:2])
        return function(*args, **kwargs)


_WEIGHTED = {"conv1d", "conv2d", "conv3d", "conv_transpose2d", "linear"}
_ADAPTIVE_POOLS = {"adaptive_avg_pool2d"}
_MAX_POOLS = {F.max_pool2d, torch.max_pool2d, F.max_pool2d_with_indices}
_POINTWISE = {
    *("relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "selu", "celu", "gelu"),
    *("silu", "mish", "softplus", "hardswish", "hardsigmoid", "hardtanh", "hardtanh_", "sigmoid", "sigmoid_", "tanh"),
    *("tanh_", "logsigmoid", "clamp", "clamp_", "clamp_min", "clamp_min_", "threshold", "softmax", "log_softmax"),
    *("batch_norm", "layer_norm", "group_norm", "instance_norm", "local_response_norm", "rms_norm"),
    *("dropout", "dropout2d", "alpha_dropout", "feature_dropout"),
}


def _mean_pool(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    **_indices: Any,
) -> Tensor:
    """Average pooling with the support of a max-pooling; a dilated window counts in full."""
    window = [size + (size - 1) * (gap - 1) for size, gap in zip(_pair(kernel_size), _pair(dilation), strict=True)]
    step = kernel_size if stride is None or stride == [] else stride
    return F.avg_pool2d(x, window, step, padding, ceil_mode)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _is_one(size: Any) -> bool:
    return size in (1, (1, 1), [1, 1])


def _is_global(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a 4-D tensor is reduced over its last two axes, as in global pooling by a function."""
    axes = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
    if args[0].ndim != 4 or not isinstance(axes, list | tuple):
        return False
    return {axis % 4 for axis in axes} >= {2, 3}

"""How each PyTorch operation changes receptive fields, by the operation's name.

Norms count as elementwise, although group and layer norm depend on the whole image.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from convscope.models.summary import receptive_field as field
from convscope.models.summary.receptive_field import AxisField


@dataclass(frozen=True)
class ImageAxis:
    """One axis of the image: the tensor dimension it corresponds to (None once flattened) and the field along it."""

    dim: int | None
    field: AxisField


Axes = tuple[ImageAxis, ...]
Inputs = list[tuple[Tensor, Axes]]


def map_axes(axes: Axes, tensor: Tensor, sides: int, rule: Callable[[AxisField, int, int], AxisField]) -> Axes:
    """Return the axes after ``rule(field, side, positions)``; `sides` is the number of spatial dimensions."""
    first = tensor.dim() - sides
    return tuple(
        axis
        if axis.dim is None or axis.dim < first
        else replace(axis, field=rule(axis.field, axis.dim - first, tensor.shape[axis.dim]))
        for axis in axes
    )


def value_for_side(values: Any, side: int, default: int) -> int:
    """Return the setting of one axis from a number, a list of one number for all axes, or an empty list (`default`)."""
    if isinstance(values, int):
        return values
    if not values:
        return default
    return int(values[side] if len(values) > 1 else values[0])


def convolution(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
    """Convolutions of all ranks, including transposed ones."""
    tensor, axes = inputs[0]
    sizes, (stride, padding, dilation, is_transposed) = args[1].shape[2:], args[3:7]

    def rule(before: AxisField, side: int, _: int) -> AxisField:
        step, pad, dilate = (
            value_for_side(stride, side, 1),
            value_for_side(padding, side, 0),
            value_for_side(dilation, side, 1),
        )
        if is_transposed:
            return field.transposed(before, sizes[side], step, pad, dilate)
        return field.window(before, sizes[side], step, pad, dilate)

    return map_axes(axes, tensor, len(sizes), rule)


def pool(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:
    """Max and average pooling: (x, window, stride, padding ...)."""
    tensor, axes = inputs[0]
    size, stride, padding = args[1], args[2] if len(args) > 2 else [], args[3] if len(args) > 3 else 0
    sides = 1 if isinstance(size, int) else max(len(size), out.dim() - 2)

    def rule(before: AxisField, side: int, _: int) -> AxisField:
        window = value_for_side(size, side, 1)
        return field.window(before, window, value_for_side(stride, side, window), value_for_side(padding, side, 0))

    return map_axes(axes, tensor, sides, rule)


def adaptive(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:
    """Adaptive pooling: (x, output positions)."""
    tensor, axes = inputs[0]
    sides = len(args[1])
    first = out.dim() - sides
    return map_axes(
        axes, tensor, sides, lambda before, side, n: field.adaptive_window(before, n, out.shape[first + side])
    )


def resize(smooth: bool) -> Callable[[Sequence[Any], Inputs, Tensor], Axes]:
    """Nearest-neighbour and linear resizing; align_corners is ignored."""

    def rule(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
        tensor, axes = inputs[0]
        sides = tensor.dim() - 2
        return map_axes(
            axes, tensor, sides, lambda before, side, n: field.resized(before, n, out.shape[2 + side], smooth)
        )

    return rule


def padded(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
    """Padding of any mode: (x, [before last dim, after last dim, before second to last dim, ...])."""
    tensor, axes = inputs[0]
    amounts, sides = list(args[1]), len(args[1]) // 2
    return map_axes(
        axes, tensor, sides, lambda before, side, _: field.shifted(before, -amounts[2 * (sides - 1 - side)])
    )


def sliced(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
    """Slices: (x, dim, start, end, step)."""
    tensor, axes = inputs[0]
    dim = (args[1] if len(args) > 1 else 0) % tensor.dim()
    start, step = (args[2] if len(args) > 2 else None) or 0, args[4] if len(args) > 4 else 1
    start = max(0, start + tensor.shape[dim]) if start < 0 else start
    return tuple(
        replace(axis, field=field.shifted(axis.field, start, step)) if axis.dim == dim else axis for axis in axes
    )


def reduced(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:
    """Mean, sum and maximum over dimensions: (x, dims, keepdim)."""
    tensor, axes = inputs[0]
    chosen = args[1] if len(args) > 1 and isinstance(args[1], (list, tuple, int)) else range(tensor.dim())
    dims = {dim % tensor.dim() for dim in ([chosen] if isinstance(chosen, int) else chosen)} or set(range(tensor.dim()))
    kept = out.dim() == tensor.dim()

    def after(axis: ImageAxis) -> ImageAxis:
        if axis.dim is None:
            return axis
        if axis.dim in dims:
            return ImageAxis(axis.dim if kept else None, field.whole_axis(axis.field, tensor.shape[axis.dim]))
        return axis if kept else replace(axis, dim=axis.dim - sum(dim < axis.dim for dim in dims))

    return tuple(after(axis) for axis in axes)


def reordered(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:
    """Permutations and transpositions."""
    tensor, axes = inputs[0]
    order = list(range(tensor.dim()))
    if len(args) == 2:
        order = [dim % tensor.dim() for dim in args[1]]
    else:
        one, two = (args[1], args[2]) if len(args) > 2 else (0, out.dim() - 1)
        order[one], order[two] = order[two], order[one]
    return tuple(axis if axis.dim is None else replace(axis, dim=order.index(axis.dim)) for axis in axes)


def reshaped(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
    """Views: an axis with unchanged length and position in memory is kept; others are flattened."""
    tensor, axes = inputs[0]

    def after(axis: ImageAxis) -> ImageAxis:
        if axis.dim is None:
            return axis
        before, positions = math.prod(tensor.shape[: axis.dim]), tensor.shape[axis.dim]
        for dim in range(out.dim()):
            after_matches = math.prod(out.shape[dim + 1 :]) == math.prod(tensor.shape[axis.dim + 1 :])
            if out.shape[dim] == positions and math.prod(out.shape[:dim]) == before and after_matches:
                return replace(axis, dim=dim)
        return ImageAxis(None, field.whole_axis(axis.field, positions))

    return tuple(after(axis) for axis in axes)


def multiplied(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
    """Matrix products: each output depends on the whole dimension that is summed over."""
    parts = []
    for tensor, axes in inputs:
        last = tensor.dim() - 1
        parts.append(
            tuple(
                ImageAxis(None, field.whole_axis(axis.field, tensor.shape[axis.dim]))
                if axis.dim is not None and (axis.dim == last or len(inputs) > 1)
                else axis
                for axis in axes
            )
        )
    return joined(parts, out)


def concatenated(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:
    """Concatenation: (tensors, dim)."""
    dim = (args[1] if len(args) > 1 else 0) % out.dim()
    parts = []
    for tensor, axes in inputs:
        parts.append(
            tuple(
                ImageAxis(None, field.whole_axis(axis.field, tensor.shape[dim])) if axis.dim == dim else axis
                for axis in axes
            )
        )
    return joined(parts, out)


def elementwise(args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:  # noqa: ARG001
    """All other operations: the same position of every input, or the whole axis where shapes do not match."""

    def aligned(tensor: Tensor, axis: ImageAxis) -> ImageAxis:
        if axis.dim is None:
            return axis
        dim, positions = axis.dim + out.dim() - tensor.dim(), tensor.shape[axis.dim]
        if 0 <= dim < out.dim() and out.shape[dim] == positions:
            return replace(axis, dim=dim)
        remains = 0 <= dim < out.dim() and positions == 1
        return ImageAxis(dim if remains else None, field.whole_axis(axis.field, positions))

    return joined([tuple(aligned(tensor, axis) for axis in axes) for tensor, axes in inputs], out)


def joined(parts: list[Axes], out: Tensor) -> Axes:
    """Return the union of several inputs' axes."""
    result = []
    for axes in zip(*parts, strict=True):
        dim = next((axis.dim for axis in axes if axis.dim is not None), None)
        positions = 1 if dim is None else out.shape[dim]
        result.append(ImageAxis(dim, field.union([axis.field for axis in axes], positions)))
    return tuple(result)


RULES: dict[str, Callable[[Sequence[Any], Inputs, Tensor], Axes]] = {
    "convolution": convolution,
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices"), pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), pool),
    **dict.fromkeys(("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d"), adaptive),
    **dict.fromkeys((f"upsample_nearest{rank}d" for rank in (1, 2, 3)), resize(False)),
    **dict.fromkeys((f"max_unpool{rank}d" for rank in (2, 3)), resize(False)),
    **dict.fromkeys(("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"), resize(True)),
    **dict.fromkeys((f"{kind}_pad{rank}d" for kind in ("replication", "reflection") for rank in (1, 2, 3)), padded),
    "constant_pad_nd": padded,
    "slice": sliced,
    **dict.fromkeys(("mean", "sum", "amax"), reduced),
    **dict.fromkeys(("permute", "transpose", "t"), reordered),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "unsqueeze", "squeeze"), reshaped),
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm"), multiplied),
    "cat": concatenated,
}


def follow(name: str, args: Sequence[Any], inputs: Inputs, out: Tensor) -> Axes:
    """Return the axes of the output of an operation from those of its inputs."""
    return RULES.get(name.removeprefix("aten::"), elementwise)(args, inputs, out)

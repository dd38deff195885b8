"""Formulas of output shapes and parameter counts, with the numbers of a layer filled in."""

import math
from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from convscope.models.layers import shape_text


def side(values: Any, axis: int) -> int:
    """Return the value of a setting for one axis; a single number applies to all."""
    return int(values[axis]) if isinstance(values, (tuple, list)) else int(values)


def output_side(
    length: int, size: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil: bool = False
) -> int:
    """Return the output length of a convolution or pool: (length - size + 2 padding) / stride + 1, rounded down.

    `ceil` rounds up, as some pools do, but no window starts beyond the image and its left padding.

    >>> output_side(227, 11, 4), output_side(277, 11, 4)
    (55, 67)
    """
    free = length + 2 * padding - dilation * (size - 1) - 1
    sides = (-(-free // stride) if ceil else free // stride) + 1
    return sides - 1 if ceil and (sides - 1) * stride >= length + padding else sides


def output_side_formula(
    length: int, size: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil: bool = False
) -> str:
    """Return the formula of `output_side` with its numbers and the rounding.

    >>> output_side_formula(277, 11, 4)
    '(277 - 11)/4 + 1 = 67.5 -> 67'
    """
    extent = f"{size}" if dilation == 1 else f"({dilation}x({size} - 1) + 1)"
    padded = f" + 2x{padding}" if padding else ""
    exact = (length + 2 * padding - dilation * (size - 1) - 1) / stride + 1
    result = output_side(length, size, stride, padding, dilation, ceil)
    free = f"{length} - {extent}{padded}"
    body = f"({free})/{stride} + 1 = {exact:g}" if stride != 1 else f"{free} + 1 = {exact:g}"
    return body if exact == result else f"{body} -> {result}"


def transposed_side_formula(
    length: int, size: int, stride: int, padding: int, extra: int = 0, dilation: int = 1
) -> str:
    """Return the formula of a transposed convolution's output length, the inverse of the one above.

    >>> transposed_side_formula(2, 3, 2, 1, 1)
    '(2 - 1)x2 - 2x1 + 3 + 1 = 4'
    """
    extent = dilation * (size - 1) + 1
    result = (length - 1) * stride - 2 * padding + extent + extra
    tail = f" + {extra}" if extra else ""
    padded = f" - 2x{padding}" if padding else ""
    return f"({length} - 1)x{stride}{padded} + {extent}{tail} = {result}"


def window_of(module: nn.Module | None, axis: int) -> tuple[int, int, int, int, bool] | None:
    """Return (size, stride, padding, dilation, ceil) of a convolution or pool along one axis, None for other layers."""
    size = getattr(module, "kernel_size", None)
    if module is None or size is None or isinstance(module, _ConvTransposeNd):
        return None
    stride = getattr(module, "stride", None) or size
    padding: Any = getattr(module, "padding", 0)
    dilation = getattr(module, "dilation", 1)
    if isinstance(padding, str):
        padding = 0 if padding == "valid" else side(dilation, axis) * (side(size, axis) - 1) // 2
    return (
        side(size, axis), side(stride, axis), side(padding, axis), side(dilation, axis),
        bool(getattr(module, "ceil_mode", False)),
    )  # fmt: skip


def shape_formula(module: nn.Module | None, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> str:
    """Return the formula of the output sides, once if all sides agree; '' if there is none."""
    if len(input_shape) < 2 or len(input_shape) != len(output_shape):
        return ""
    texts = []
    for axis, length in enumerate(input_shape[1:]):
        if isinstance(module, _ConvTransposeNd):
            numbers = (module.kernel_size, module.stride, module.padding, module.output_padding, module.dilation)
            texts.append(transposed_side_formula(length, *(side(number, axis) for number in numbers)))
        elif (window := window_of(module, axis)) is not None:
            texts.append(output_side_formula(length, *window))
    return "; ".join(dict.fromkeys(texts))


def parameters_formula(module: nn.Module | None) -> str:
    """Return the formula of the parameter count, (kernel x channels + 1) x filters; '' if there is none.

    >>> parameters_formula(nn.Conv2d(3, 10, 5))
    '(5x5x3 + 1)x10'
    """
    if isinstance(module, _ConvNd):
        is_transposed = isinstance(module, _ConvTransposeNd)
        depth = module.in_channels // module.groups
        return products(
            (*module.kernel_size, depth), module.out_channels, module.bias is not None and not is_transposed
        ) + (f" + {module.out_channels}" if is_transposed and module.bias is not None else "")
    if isinstance(module, nn.Linear):
        return products((module.in_features,), module.out_features, module.bias is not None)
    count = sum(one.numel() for one in module.parameters()) if module is not None else 0
    first = next(module.parameters(), None) if module is not None else None
    if first is None or first.dim() != 1 or count % first.numel():
        return ""
    return f"{count // first.numel()}x{first.numel()}"


def products(inputs: tuple[int, ...], outputs: int, bias: bool) -> str:
    """Return the parameter formula of a layer with a weight per input and output, and optionally a bias."""
    text = shape_text(inputs)
    return f"({text} + 1)x{outputs}" if bias else f"{text}x{outputs}"


def convolution_parameters(size: tuple[int, ...], depth: int, filters: int, bias: bool = True) -> int:
    """Return the parameters of a convolution: (kw kh kd + 1) filters.

    >>> convolution_parameters((5, 5), 3, 10), convolution_parameters((5, 5), 3, 10, bias=False)
    (760, 750)
    """
    return (math.prod(size) * depth + int(bias)) * filters


def transposed_side(length: int, size: int, stride: int, padding: int = 0, extra: int = 0) -> int:
    """Return the side after a transposed convolution; `extra` is PyTorch's output_padding.

    >>> transposed_side(2, 3, 2, padding=1, extra=1)
    4
    """
    return (length - 1) * stride - 2 * padding + size + extra


def checkerboard(size: int, stride: int) -> tuple[int, ...]:
    """Return how many inputs contribute to each of `stride` neighbouring outputs of a transposed convolution, per axis.

    Different numbers cause checkerboard artefacts (Odena 2016). A size that is a multiple of the stride avoids them, as
    does nearest-neighbour upsampling followed by an ordinary convolution.

    >>> checkerboard(3, 2), checkerboard(4, 2)
    ((2, 1), (2, 2))
    """
    return tuple(len(range(phase, size, stride)) for phase in range(stride))


def weight_sharing(input_shape: Sequence[int], filters: int, size: int) -> tuple[int, int]:
    """Return the parameters of a convolution and of a fully connected layer with the same output shape.

    >>> weight_sharing((1, 28, 28), 8, 3)
    (80, 4923520)
    """
    channels, *sides = input_shape
    shared = convolution_parameters((size,) * len(sides), channels, filters)
    return shared, (math.prod(input_shape) + 1) * filters * math.prod(sides)

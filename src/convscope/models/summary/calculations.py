"""The arithmetic of layers, each formula with its numbers filled in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from convscope.errors import ConfigError, ModelError, did_you_mean
from convscope.models.layers import shape_text
from convscope.models.summary import convolution_steps as steps_of
from convscope.models.summary.formulas import (
    checkerboard,
    convolution_parameters,
    output_side,
    output_side_formula,
    products,
    transposed_side,
    transposed_side_formula,
    weight_sharing,
)


@dataclass(frozen=True, repr=False)
class Calculation:
    """A calculation: `lines` of text with the formulas, and `values` by name."""

    topic: str
    lines: tuple[str, ...]
    values: dict[str, Any]

    def __repr__(self) -> str:
        """The lines."""
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def output(
    sides: Sequence[int], size: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> Calculation:  # fmt: skip
    """Return the sides after a convolution or a pool: (side - size + 2 padding) / stride + 1, rounded down.

    Args:
        sides: of the input, in pixels.
        size: of the window.
        stride: pixels between positions of the window.
        padding: pixels added on each side; ``same`` gives ceil(side / stride).
        dilation: pixels between the values that the window reads.

    Raises:
        ModelError: a number is out of range, or the window is larger than the padded input.

    >>> output([227], 11, 4)
    (227 - 11)/4 + 1 = 55
    >>> output([32], 5, padding="same")
    same padding of a window of 5: 2 pixels before and 2 after
    32 - 5 + 2x2 + 1 = 32
    """
    require_counts("output", sides=sides, size=size, stride=stride, dilation=dilation)
    extent, lines, results = dilation * (size - 1) + 1, [], []
    if padding == "same":
        before, after = (extent - 1) // 2, extent // 2
        lines.append(f"same padding of a window of {extent}: {before} pixels before and {after} after")
        if before != after:
            return Calculation("output", (*lines, *(same_line(side, stride) for side in sides)), {
                "sides": [-(-side // stride) for side in sides], "padding": [before, after],
            })  # fmt: skip
        padding = before
    if not isinstance(padding, int) or padding < 0:
        raise ModelError(f"output: padding is {padding!r}; give pixels from 0, or same")
    for side in dict.fromkeys(sides):
        if extent > side + 2 * padding:
            raise ModelError(
                f"output: a window of {extent} does not fit {side} pixels with padding {padding}; "
                "make the window smaller or the padding larger"
            )
        lines.append(output_side_formula(side, size, stride, padding, dilation))
        rest = (side + 2 * padding - extent) % stride
        if rest > padding:
            lines.append(
                f"the last {rest - padding} of {side} pixels are never read; "
                f"a side of {side - rest} or {side - rest + stride} fits"
            )
    results = [output_side(side, size, stride, padding, dilation) for side in sides]
    return Calculation("output", tuple(lines), {"sides": results, "padding": [padding, padding]})


def same_line(side: int, stride: int) -> str:
    """Return the output side with same padding."""
    return f"ceil({side}/{stride}) = {-(-side // stride)}"


def transposed(
    sides: Sequence[int], size: int, stride: int = 2, padding: int = 0, output_padding: int = 0
) -> Calculation:  # fmt: skip
    """Return the sides after a transposed convolution, and whether its windows overlap unevenly.

    Raises:
        ModelError: a number is out of range, or nothing remains of the output.

    >>> transposed([2], 3, 2, padding=1, output_padding=1).values["sides"]
    [4]
    """
    require_counts("transposed", sides=sides, size=size, stride=stride)
    require_counts("transposed", 0, padding=padding, output_padding=output_padding)
    if output_padding >= max(stride, 2) or (output_padding and stride == 1):
        raise ModelError(f"transposed: output_padding is {output_padding}; make it less than the stride, {stride}")
    results = [transposed_side(side, size, stride, padding, output_padding) for side in sides]
    if min(results) < 1:
        raise ModelError(f"transposed: padding {padding} is more than the output; make it smaller")
    lines = [transposed_side_formula(side, size, stride, padding, output_padding) for side in dict.fromkeys(sides)]
    counts = checkerboard(size, stride)
    overlap = f"neighbouring outputs are sums over {' and '.join(map(str, counts))} inputs per axis"
    if len(set(counts)) == 1:
        lines.append(
            f"{overlap if len(counts) > 1 else f'each output is a sum over {counts[0]} inputs per axis'}: even"
        )
    else:
        sizes = " or ".join(str(stride * count) for count in (1, 2))
        lines.append(
            f"{overlap}, which causes a checkerboard pattern (Odena 2016); a size of {sizes}, or nearest upsampling "
            "before a convolution, avoids it"
        )
    return Calculation("transposed", tuple(lines), {"sides": results, "inputs_per_output": list(counts)})


def weights(shape: Sequence[int], filters: int = 64, size: int = 3) -> Calculation:
    """Return the parameters of a convolution, and of a fully connected layer with the same output.

    Args:
        shape: (C, H, W) of the input.
        filters: output channels.
        size: of the kernel.

    Raises:
        ModelError: a number is out of range.

    >>> weights((1, 28, 28), 8, 3).values["ratio"]
    61544
    """
    require_counts("weights", shape=shape, filters=filters, size=size)
    if len(shape) < 2:
        raise ModelError(f"weights: {shape_text(shape)} is not a shape; give channels and sides, as in 3x32x32")
    channels, *sides = shape
    window = (size,) * len(sides)
    shared, dense = weight_sharing(shape, filters, size)
    cube = math.prod(window) * channels
    inputs, outputs = math.prod(shape), filters * math.prod(sides)
    places = f"{shape_text(sides)} positions"
    lines = (
        f"one filter has the depth of its input: {shape_text((*window, channels))} = {cube:,} weights at all {places}",
        f"{filters} filters with biases: {products((*window, channels), filters, True)} = {shared:,}",
        f"a fully connected layer with the same output, {shape_text((filters, *sides))}: "
        f"({inputs:,} + 1)x{outputs:,} = {dense:,}",
        f"{dense:,} / {shared:,} = {dense // shared:,} times as many",
    )
    return Calculation("weights", lines, {
        "filter": cube, "convolution": shared, "fully_connected": dense, "ratio": dense // shared,
        "without_bias": convolution_parameters(window, channels, filters, bias=False),
    })  # fmt: skip


def factors(size: int, channels: int = 1) -> Calculation:
    """Return the weights of a size x size kernel, of stacked 3x3 with the same receptive field, and of a line pair.

    Args:
        size: of the kernel.
        channels: in, between and out; the weights are for all of them.

    Raises:
        ModelError: a number is out of range.

    >>> factors(5).values
    {'kernel': 25, 'pair': 10, 'stacked_3x3': 18, 'number_of_3x3': 2}
    """
    require_counts("factors", size=size, channels=channels)
    pairs, times = channels**2, "" if channels == 1 else f"x{channels}x{channels}"
    full, lines_pair = size * size * pairs, 2 * size * pairs
    lines = [f"{size}x{size}: {size}x{size}{times} = {full:,} weights"]
    values: dict[str, Any] = {"kernel": full, "pair": lines_pair}
    if size % 2 and size > 3:
        _, per_pair, count = steps_of.stacked_3x3(size)
        lines.append(
            f"{count} stacked 3x3, whose receptive field is {size}: {count}x3x3{times} = {per_pair * pairs:,} weights"
        )
        values |= {"stacked_3x3": per_pair * pairs, "number_of_3x3": count}
    lines.append(
        f"{size}x1 and 1x{size}: 2x{size}{times} = {lines_pair:,} weights; equal to the kernel only if its rank is 1"
    )
    return Calculation("factors", tuple(lines), values)


def bottleneck(shape: Sequence[int], filters: int, size: int = 3, narrow: int = 16) -> Calculation:
    """Return the multiplications of a same-padded convolution, directly and after a 1x1 to `narrow` channels.

    Raises:
        ModelError: a number is out of range.

    >>> bottleneck((480, 14, 14), 48, 5, 16).values["direct"]
    112896000
    """
    require_counts("bottleneck", shape=shape, filters=filters, size=size, narrow=narrow)
    if len(shape) < 2:
        raise ModelError(f"bottleneck: {shape_text(shape)} is not a shape; give channels and sides, as in 480x14x14")
    channels, *sides = shape
    window, found = shape_text((size,) * len(sides)), steps_of.bottleneck(sides, channels, narrow, size, filters)
    positions = shape_text(sides)
    lines = (
        f"directly: {positions} positions x {window}x{channels} x {filters} filters = {found.direct:,} multiplications",
        f"1x1 to {narrow} channels: {positions} x {channels} x {narrow} = {found.reduce:,}",
        f"then {window}: {positions} x {window}x{narrow} x {filters} = {found.expand:,}",
        f"together {found.total:,}, {found.ratio:.1f} times fewer",
    )
    return Calculation("bottleneck", lines, {**asdict(found), "total": found.total, "ratio": round(found.ratio, 1)})


def require_counts(topic: str, least: int = 1, **numbers: int | Sequence[int]) -> None:
    """Raise if a number, or one of several, is not a whole number from `least`."""
    for name, value in numbers.items():
        values = [value] if isinstance(value, int) else list(value)
        if not values or any(isinstance(one, bool) or not isinstance(one, int) or one < least for one in values):
            shown = value if isinstance(value, int) else shape_text(values)
            raise ModelError(f"{topic}: {name} is {shown}; give whole numbers from {least}")


TOPICS: dict[str, Callable[..., Calculation]] = {
    "output": output, "transposed": transposed, "weights": weights, "factors": factors, "bottleneck": bottleneck,
}  # fmt: skip


def arithmetic(topic: str, **numbers: Any) -> Calculation:
    """Calculate sizes, parameters or multiplications of a layer, with the formula filled in.

    Args:
        topic: output, transposed, weights, factors or bottleneck.
        numbers: of the layer, see the functions of these names in `models.summary.calculations`.

    Raises:
        ConfigError: there is no such topic, or a number is missing or unknown.
        ModelError: a number is out of range.

    >>> arithmetic("factors", size=3)
    3x3: 3x3 = 9 weights
    3x1 and 1x3: 2x3 = 6 weights; equal to the kernel only if its rank is 1
    """
    if topic not in TOPICS:
        raise ConfigError(f"arithmetic: no topic {topic}{did_you_mean(topic, TOPICS)}")
    try:
        return TOPICS[topic](**numbers)
    except TypeError as error:
        raise ConfigError(f"arithmetic: {str(error).partition(' ')[2]}; see help(convscope.arithmetic)") from None

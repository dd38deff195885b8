"""Warnings about the architecture of a network, one sentence each."""

import math
from collections.abc import Iterator

from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from convscope.models.layers import shape_text
from convscope.models.summary.formulas import output_side_formula, window_of
from convscope.models.summary.model_summary import ModelSummary
from convscope.models.summary.trace import TraceRow

MIN_BOTTLENECK_GAIN = 8  # factor of multiplications from which a bottleneck is suggested; GoogLeNet's has 21
MIN_HEAD_GAIN = 10  # factor of parameters from which a global average head is suggested


def find_warnings(summary: ModelSummary, rows: list[TraceRow], objects: int | None) -> Iterator[str]:
    """Yield every warning about a network.

    `objects` is the size in pixels of the objects to recognise.
    """
    yield from unread_pixels(rows)
    yield from receptive_field_warnings(summary, objects)
    for row in rows:
        yield from bottleneck_suggestion(row)
        yield from smaller_window_suggestion(row)
    yield from average_head_suggestion(summary)


def unread_pixels(rows: list[TraceRow]) -> Iterator[str]:
    """Yield layers that leave pixels unread because (length - size + 2 padding) / stride is not an integer.

    There is no warning if only padding is unread.
    """
    for row in rows:
        for axis, length in enumerate(row.input_shape[2:]):
            window = window_of(row.module, axis)
            if window is None:
                continue
            size, stride, padding, dilation, ceil = window
            rest = (length + 2 * padding - dilation * (size - 1) - 1) % stride
            if rest > padding and size >= stride and not ceil:
                lost, fits = rest - padding, (length - rest, length - rest + stride)
                yield (
                    f"{row.name}: {output_side_formula(length, *window)}; the last {lost} of {length} pixels are "
                    f"never read; "
                    f"a side of {fits[0]} or {fits[1]} fits"
                )
                break


def receptive_field_warnings(summary: ModelSummary, objects: int | None) -> Iterator[str]:
    """Yield if the receptive field of the last maps exceeds the image or is smaller than the objects."""
    last = summary.last_maps()
    if last is None:
        return
    rf_size, image = min(last.rf_size), min(summary.shape[1:])
    if rf_size > image:
        yield (
            f"{last.name}: the receptive field is {rf_size} pixels and the image {image}; "
            "the rest is padding, use fewer layers"
        )
    if objects is not None and rf_size < objects:
        yield (
            f"{last.name}: the receptive field is {rf_size} pixels and the objects are {objects}; "
            "add a stage or downscale the images"
        )


def bottleneck_suggestion(row: TraceRow) -> Iterator[str]:
    """Yield if a preceding 1x1 convolution to a third of the filters would save most multiplications."""
    conv = row.module
    if not isinstance(conv, _ConvNd) or isinstance(conv, _ConvTransposeNd) or conv.groups != 1:
        return
    window = math.prod(conv.kernel_size)
    narrow = max(4, conv.out_channels // 3)
    if window == 1 or max(as_tuple(conv.stride)) > 1 or narrow >= conv.in_channels:
        return
    positions_in, positions_out = math.prod(row.input_shape[2:]), math.prod(row.output_shape[2:])
    reduced = positions_in * conv.in_channels * narrow + positions_out * narrow * window * conv.out_channels
    if row.macs >= MIN_BOTTLENECK_GAIN * reduced:
        yield f"{row.name}: a 1x1 to {narrow} channels before it: {row.macs:,} -> {reduced:,} multiplications"


def smaller_window_suggestion(row: TraceRow) -> Iterator[str]:
    """Yield if two 3x3 would have the receptive field of a 5x5 (three of a 7x7) with fewer parameters."""
    conv = row.module
    if not isinstance(conv, _ConvNd) or isinstance(conv, _ConvTransposeNd) or conv.groups != 1:
        return
    sizes = set(conv.kernel_size)
    if len(sizes) != 1 or max(as_tuple(conv.stride)) > 1 or (size := sizes.pop()) not in (5, 7):
        return
    rank, count, c_in, c_out = len(conv.kernel_size), (size - 1) // 2, conv.in_channels, conv.out_channels
    before, after = size**rank * c_in * c_out, 3**rank * c_out * (c_in + (count - 1) * c_out)
    if after < before:
        big, small = shape_text((size,) * rank), shape_text((3,) * rank)
        words = {2: "two", 3: "three"}[count]
        yield f"{row.name}: {words} {small} have the receptive field of one {big}: {before:,} -> {after:,} parameters"


def average_head_suggestion(summary: ModelSummary) -> Iterator[str]:
    """Yield how much smaller the network would be with global average pooling instead of fully connected layers."""
    dense = [layer for layer in summary.layers if layer.layer_type == "Linear"]
    maps = [layer for layer in summary.layers if not layer.flat and len(layer.output_shape) > 1]
    if not dense or not maps:
        return
    now, classes, channels = (
        sum(layer.num_parameters for layer in dense),
        dense[-1].output_shape[-1],
        maps[-1].output_shape[0],
    )
    then = (channels + 1) * classes
    if now >= MIN_HEAD_GAIN * then:
        yield (
            f"{dense[0].name}: {now:,} parameters in fully connected layers; global average pooling (head gap) needs "
            f"{then:,}, {now / then:.0f} times fewer: {summary.num_parameters:,} -> "
            f"{summary.num_parameters - now + then:,} in all"
        )


def as_tuple(values: int | str | tuple[int, ...]) -> tuple[int, ...]:
    """Return settings as a tuple."""
    return values if isinstance(values, tuple) else (int(values),)

"""Units of convolutions, transposed convolutions and fully connected layers: sums of values times weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convscope.explain.arithmetic.terms import Position, Term, UnitStep, rounding, total
from convscope.explain.arithmetic.trace import Call, Trace

BORDERS = {
    "constant_pad_nd": "constant", "replicate_pad2d": "replicate", "reflection_pad2d": "reflect", "copy": "circular",
}  # fmt: skip


def convolution(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Dumoulin and Visin 2016: output (o, y, x) is a sum over the channels of its group and the kernel positions."""
    arguments = call.arguments
    weight: Tensor = arguments["weight"]
    source = call.source("input")
    if weight.ndim != 4 or source is None:
        return other(trace, call, position, value)
    terms_of = _transposed_terms if arguments["transposed"] else _convolution_terms
    terms, window = terms_of(trace.values[source].tensor, weight, arguments, position, source)
    bias = None if arguments["bias"] is None else float(arguments["bias"][position[0]].double())
    parameters = {
        "kernel": list(weight.shape[2:]), "stride": list(arguments["stride"]), "padding": list(arguments["padding"]),
        "dilation": list(arguments["dilation"]), "groups": arguments["groups"], "border": _border(trace, source),
    }  # fmt: skip
    padding = sum(term.padded for term in terms)
    padding_note = f", {padding} of them zero padding" if padding else ""
    operation = "transposed convolution" if arguments["transposed"] else "convolution"
    return UnitStep(
        operation, call.module, _describe(len(terms), padding_note, bias), value, total(terms, bias),
        rounding(terms, bias, unit_roundoff(weight)), terms, bias, parameters, window, len(terms), padding,
    )  # fmt: skip


def fully_connected(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Sum of all inputs times their weights, plus the bias."""
    inputs, weights, bias = _matrices(call)
    source = call.source(inputs)
    if source is None or call.arguments[inputs].ndim != 2:
        return other(trace, call, position, value)
    column = call.arguments[weights][:, position[0]].double().tolist()
    values = call.arguments[inputs][0].double().tolist()
    terms = tuple(Term(source, (i,), a, b) for i, (a, b) in enumerate(zip(values, column, strict=True)))
    offset = None if bias is None else float(call.arguments[bias].reshape(-1)[position[0]].double())
    return UnitStep(
        "fully connected",
        call.module,
        _describe(len(terms), "", offset),
        value,
        total(terms, offset),
        rounding(terms, offset, unit_roundoff(call.arguments[weights])),
        terms,
        offset,
        {"inputs": len(terms)},
        None,
        len(terms),
    )


def other(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """An operation without a rule: its inputs are named, without arithmetic."""
    sources = sorted(set(call.sources.values()))
    names = ", ".join(trace.name_of(number) for number in sources)
    description = f"{call.name.strip('_').replace('_', ' ')} of {names}; its arithmetic is not available"
    return UnitStep(
        "other",
        call.module,
        description,
        value,
        value,
        0.0,
        (),
        parameters={"name": call.name, "position": list(position)},
    )


def unit_roundoff(tensor: Tensor) -> float:
    """Return half the distance from 1 to the next larger number of the tensor's dtype."""
    return float(torch.finfo(tensor.dtype).eps) / 2


def _matrices(call: Call) -> tuple[str, str, str | None]:
    return ("mat1", "mat2", "self") if call.name == "addmm" else ("self", "mat2", None)


def _convolution_terms(
    x: Tensor, weight: Tensor, arguments: dict[str, Any], position: Position, source: int
) -> tuple[tuple[Term, ...], dict[str, Any]]:
    """Values at y * stride - padding + k * dilation of every channel of the group, times the kernel."""
    channel, row, column = position
    depth, height, width = weight.shape[1:]
    first = channel // (weight.shape[0] // arguments["groups"]) * depth
    (stride_y, stride_x), (gap_y, gap_x) = arguments["stride"], arguments["dilation"]
    top, left = row * stride_y - arguments["padding"][0], column * stride_x - arguments["padding"][1]
    kernel, values = weight[channel].double().cpu().numpy(), x[0, first : first + depth].double().cpu().numpy()
    rows, columns = top + gap_y * np.arange(height), left + gap_x * np.arange(width)
    terms = []
    for c in range(depth):
        for i, y in enumerate(rows.tolist()):
            for j, at in enumerate(columns.tolist()):
                inside = 0 <= y < values.shape[1] and 0 <= at < values.shape[2]
                number = float(values[c, y, at]) if inside else 0.0
                terms.append(Term(source, (first + c, y, at), number, float(kernel[c, i, j]), not inside))
    window = {
        "layer": source, "channels": [first, first + depth], "rows": [top, int(rows[-1]) + 1],
        "columns": [left, int(columns[-1]) + 1], "step": [gap_y, gap_x],
    }  # fmt: skip
    return tuple(terms), window


def _transposed_terms(
    x: Tensor, weight: Tensor, arguments: dict[str, Any], position: Position, source: int
) -> tuple[tuple[Term, ...], None]:
    """Every value whose kernel, placed at its position times the stride, covers this position."""
    channel, row, column = position
    groups, outputs = arguments["groups"], weight.shape[1]
    group, inner = divmod(channel, outputs)
    depth = weight.shape[0] // groups
    values = x[0].double().cpu().numpy()
    kernel = weight[:, inner].double().cpu().numpy()
    terms = []
    for c in range(group * depth, (group + 1) * depth):
        for i, y in _covering(row, arguments, 0, kernel.shape[1], values.shape[1]):
            for j, at in _covering(column, arguments, 1, kernel.shape[2], values.shape[2]):
                terms.append(Term(source, (c, y, at), float(values[c, y, at]), float(kernel[c, i, j])))
    return tuple(terms), None


def _covering(position: int, arguments: dict[str, Any], axis: int, size: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield (kernel index, input index) pairs whose product contributes to `position`."""
    for k in range(size):
        start, remainder = divmod(
            position + arguments["padding"][axis] - k * arguments["dilation"][axis], arguments["stride"][axis]
        )
        if not remainder and 0 <= start < length:
            yield k, start


def _border(trace: Trace, source: int) -> str:
    """Return the padding mode: zeros, unless a padding operation precedes the convolution."""
    previous = trace.values[source].call
    return "zeros" if previous is None else BORDERS.get(previous.name, "zeros")


def _describe(count: int, padding_note: str, bias: float | None) -> str:
    return f"sum of {count:,} products{padding_note}" + ("" if bias is None else ", plus the bias")

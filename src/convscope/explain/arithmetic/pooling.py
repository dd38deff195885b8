"""Units of pooling and interpolation: the input values and their weights."""

from typing import Any

import numpy as np
import torch

from convscope.explain.arithmetic.terms import Position, Term, UnitStep, rounding, total
from convscope.explain.arithmetic.trace import Call, Trace
from convscope.explain.arithmetic.weighted import other, unit_roundoff


def max_pool(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Maximum of a window; of equal values the first. Padding is never the maximum."""
    source = call.source("self")
    if source is None or len(position) != 3:
        return other(trace, call, position, value)
    x = trace.values[source].tensor[0, position[0]].double().cpu().numpy()
    if call.name == "adaptive_max_pool2d":
        rows, columns = (_cell(position[1 + a], x.shape[a], call.arguments["output_size"][a]) for a in (0, 1))
        parameters: dict[str, Any] = {"kernel": [len(rows), len(columns)], "stride": None, "padding": [0, 0]}
    else:
        size, padding = _pair(call.arguments["kernel_size"]), _pair(call.arguments.get("padding", 0))
        stride = _pair(call.arguments.get("stride") or size)
        gap = _pair(call.arguments.get("dilation", 1))
        rows, columns = (position[1 + a] * stride[a] - padding[a] + gap[a] * np.arange(size[a]) for a in (0, 1))
        parameters = {"kernel": list(size), "stride": list(stride), "padding": list(padding)}
    terms = []
    for y in rows.tolist():
        for at in columns.tolist():
            inside = 0 <= y < x.shape[0] and 0 <= at < x.shape[1]
            number = float(x[y, at]) if inside else 0.0
            terms.append(Term(source, (position[0], y, at), number, padded=not inside, chosen=False))
    winner = max((i for i, term in enumerate(terms) if not term.padded), key=lambda i: (terms[i].value, -i))
    terms[winner] = Term(source, terms[winner].position, terms[winner].value)
    padding_count = sum(term.padded for term in terms)
    description = f"maximum of {len(terms) - padding_count} values"
    window = {
        "layer": source, "channels": [position[0], position[0] + 1], "rows": [int(rows[0]), int(rows[-1]) + 1],
        "columns": [int(columns[0]), int(columns[-1]) + 1], "step": [1, 1],
    }  # fmt: skip
    return UnitStep(
        "max pool", call.module, description, value, terms[winner].value, 0.0, tuple(terms), None, parameters, window,
        len(terms), padding_count,
    )  # fmt: skip


def linear(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Any operation that is linear in its single input, such as averaging: the weights are its gradient."""
    source = call.source("self")
    if source is None:
        return other(trace, call, position, value)
    x = trace.values[source].tensor
    weights = _gradient(call, x, position)
    indices = weights.nonzero()
    terms = tuple(
        Term(source, tuple(index[1:]), float(x[tuple(index)].double()), float(weights[tuple(index)]))
        for index in indices.tolist()
    )
    op, description, parameters = _describe(call, x, len(terms))
    return UnitStep(
        op, call.module, description, value, total(terms), 2 * rounding(terms, None, unit_roundoff(x)), terms,
        parameters=parameters, count=len(terms),
    )  # fmt: skip


def _gradient(call: Call, x: torch.Tensor, position: Position) -> torch.Tensor:
    with torch.enable_grad():
        probe = torch.zeros_like(x, dtype=torch.float64, requires_grad=True)
        out = call.rerun(self=probe)
        (weights,) = torch.autograd.grad(out[(0, *position)], probe)
    return weights


def _describe(call: Call, x: torch.Tensor, count: int) -> tuple[str, str, dict[str, Any]]:
    positions = int(np.prod(x.shape[2:]))
    if call.name == "mean" or (call.name == "_adaptive_avg_pool2d" and count == positions):
        return "global average", f"mean of all {count:,} positions of the map", {"positions": count}
    if "avg" in call.name:
        kernel = call.arguments.get("kernel_size")
        shape = None if kernel is None else list(_pair(kernel))
        return "average pool", f"mean of {count} values", {"kernel": shape, "divisor": count}
    mode = next((word for word in ("bilinear", "nearest", "bicubic", "linear") if word in call.name), call.name)
    return "upsample", f"{mode} interpolation of {count} values", {"mode": mode}


def _cell(position: int, length: int, cells: int) -> np.ndarray:
    """Return the input indices of one cell of an adaptive pooling."""
    return np.arange(position * length // cells, -(-(position + 1) * length // cells))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])

"""Operations that join or move values: sums, gates, concatenations, crops and reshapes."""

from typing import Any

import torch
from torch import Tensor

from convscope.explain.arithmetic.terms import Position, Term, UnitStep, rounding, to_channel_row_column, total
from convscope.explain.arithmetic.trace import Call, Trace
from convscope.explain.arithmetic.weighted import other, unit_roundoff

WHY = {
    "view": "the same value at another position: maps flattened to a vector, or back",
    "constant_pad_nd": "padding around the map", "replicate_pad2d": "padding that replicates the edge",
    "reflection_pad2d": "padding that reflects the edge", "slice": "cropped from a larger map",
}  # fmt: skip


def add(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Sum of two values, such as a residual block's body and shortcut."""
    pair = [call.source(name) for name in ("self", "other")]
    sources = [number for number in pair if number is not None]
    if len(sources) < 2:
        return other(trace, call, position, value)
    sign = (-1.0 if call.name == "sub" else 1.0) * float(call.arguments.get("alpha", 1))
    terms = tuple(_term(trace, number, position, weight) for number, weight in zip(sources, (1.0, sign), strict=True))
    names = " and ".join(trace.name_of(number) for number in sources)
    bound = rounding(terms, None, unit_roundoff(trace.values[sources[0]].tensor))
    return UnitStep(
        "add", call.module, f"sum of {names}", value, total(terms), bound, terms, count=2
    )  # fmt: skip


def multiply(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """A map's value times its gate; the gate is the factor that is broadcast over positions."""
    pair = [call.source(name) for name in ("self", "other")]
    if None in pair:
        return other(trace, call, position, value)
    numbers = sorted((n for n in pair if n is not None), key=lambda n: -trace.values[n].tensor.numel())
    mapped, gate = (_term(trace, number, position) for number in numbers)
    term = Term(mapped.source, mapped.position, mapped.value, gate.value)
    return UnitStep(
        "gate", call.module, f"{trace.name_of(mapped.source)} times {trace.name_of(gate.source)}", value, term.product,
        rounding((term,), None, unit_roundoff(trace.values[gate.source].tensor)), (term,),
        parameters={"gate_layer": gate.source, "gate_channel": to_channel_row_column(gate.position)[0]}, count=1,
    )  # fmt: skip


def concatenate(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """The value of the concatenated tensor that this position comes from."""
    axis = int(call.arguments.get("dim", 0)) % (len(position) + 1)
    index, parts = [0, *position], list(call.arguments["tensors"])
    for number, part in enumerate(parts, 1):
        if index[axis] < part.shape[axis]:
            source = call.sources.get(id(part))
            if source is None:
                return other(trace, call, position, value)
            term = Term(source, tuple(index[1:]), float(part[tuple(index)].double()))
            description = f"part {number} of {len(parts)}, from {trace.name_of(source)}"
            return UnitStep(
                "concatenate", call.module, description, value, term.value, 0.0, (term,),
                parameters={"part": number, "of": len(parts)}, count=1,
            )  # fmt: skip
        index[axis] -= part.shape[axis]
    return other(trace, call, position, value)


def rearranged(trace: Trace, call: Call, position: Position, value: float, name: str = "self") -> UnitStep:
    """Any operation that only moves values: run on the indices of its input, it returns the index of the source."""
    source = call.source(name)
    if source is None:
        return other(trace, call, position, value)
    x = trace.values[source].tensor
    indices = torch.arange(1, x.numel() + 1, dtype=torch.float64, device=x.device).reshape(x.shape)
    found = int(_first(call.rerun(**{name: indices}))[(0, *position)])
    why = WHY.get(call.name, "the same value at another position")
    op, parameters = _kind(call, why)
    if not 0 < found <= x.numel():  # no value was moved to this position
        constant = float(call.arguments.get("value") or 0.0)
        return UnitStep(op, call.module, "no value was moved here", value, constant, 0.0, (), parameters=parameters)
    index = _unravel(found - 1, x)
    term = Term(source, index[1:], float(x[index].double()))
    return UnitStep(op, call.module, why, value, term.value, 0.0, (term,), parameters=parameters, count=1)


def _kind(call: Call, why: str) -> tuple[str, dict[str, Any]]:
    if "unpool" in call.name:
        return "unpool", {}
    if "nearest" in call.name:
        return "upsample", {"mode": "nearest"}
    return "pass", {"why": why}


def _first(output: Any) -> Tensor:
    first: Tensor = output if isinstance(output, Tensor) else output[0]
    return first


def _unravel(number: int, x: Tensor) -> tuple[int, ...]:
    index = []
    for length in reversed(x.shape):
        number, rest = divmod(number, length)
        index.append(rest)
    return tuple(reversed(index))


def _term(trace: Trace, number: int, position: Position, weight: float = 1.0) -> Term:
    """Return the value that is broadcast to a position."""
    x = trace.values[number].tensor
    index = tuple(0 if length == 1 else at for at, length in zip(position, x.shape[1:], strict=True))
    return Term(number, index, float(x[(0, *index)].double()), weight)

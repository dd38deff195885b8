"""Where values come together, or move: sums, concatenations, gates, crops and reshapes."""

from typing import Any

import torch
from torch import Tensor

from convscope.explain.arithmetic.terms import Position, Term, UnitStep, rounding, to_channel_row_column, total
from convscope.explain.arithmetic.trace import Call, Trace
from convscope.explain.arithmetic.weighted import other, unit_of

WHY = {
    "view": "the same number at another place: maps laid out as one vector, or back",
    "constant_pad_nd": "a border around the map", "replicate_pad2d": "a border that repeats the edge",
    "reflection_pad2d": "a border that mirrors the edge", "slice": "cut out of a larger map",
}  # fmt: skip


def add(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """One summand of each: a residual block's body and shortcut."""
    pair = [call.source(name) for name in ("self", "other")]
    sources = [number for number in pair if number is not None]
    if len(sources) < 2:
        return other(trace, call, position, value)
    sign = (-1.0 if call.name == "sub" else 1.0) * float(call.arguments.get("alpha", 1))
    terms = tuple(_term(trace, number, position, weight) for number, weight in zip(sources, (1.0, sign), strict=True))
    names = " and ".join(trace.name_of(number) for number in sources)
    bound = rounding(terms, None, unit_of(trace.values[sources[0]].tensor))
    return UnitStep(
        "add", call.module, f"the sum of {names}", value, total(terms), bound, terms, count=2
    )  # fmt: skip


def multiply(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """A map's value times its gate: the factor that serves many places is the gate."""
    pair = [call.source(name) for name in ("self", "other")]
    if None in pair:
        return other(trace, call, position, value)
    numbers = sorted((n for n in pair if n is not None), key=lambda n: -trace.values[n].tensor.numel())
    mapped, gate = (_term(trace, number, position) for number in numbers)
    term = Term(mapped.source, mapped.position, mapped.value, gate.value)
    return UnitStep(
        "gate", call.module, f"{trace.name_of(mapped.source)} times {trace.name_of(gate.source)}", value, term.product,
        rounding((term,), None, unit_of(trace.values[gate.source].tensor)), (term,),
        parameters={"gate_layer": gate.source, "gate_channel": to_channel_row_column(gate.position)[0]}, count=1,
    )  # fmt: skip


def concatenate(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """The one part whose place this is."""
    axis = int(call.arguments.get("dim", 0)) % (len(position) + 1)
    spot, parts = [0, *position], list(call.arguments["tensors"])
    for number, part in enumerate(parts, 1):
        if spot[axis] < part.shape[axis]:
            source = call.sources.get(id(part))
            if source is None:
                return other(trace, call, position, value)
            term = Term(source, tuple(spot[1:]), float(part[tuple(spot)].double()))
            says = f"part {number} of {len(parts)}, from {trace.name_of(source)}"
            return UnitStep(
                "concatenate", call.module, says, value, term.value, 0.0, (term,),
                parameters={"part": number, "of": len(parts)}, count=1,
            )  # fmt: skip
        spot[axis] -= part.shape[axis]
    return other(trace, call, position, value)


def rearranged(trace: Trace, call: Call, position: Position, value: float, name: str = "self") -> UnitStep:
    """Of any operation that only moves values: run on the places' own numbers it tells which came here."""
    source = call.source(name)
    if source is None:
        return other(trace, call, position, value)
    x = trace.values[source].tensor
    numbers = torch.arange(1, x.numel() + 1, dtype=torch.float64, device=x.device).reshape(x.shape)
    found = int(_first(call.rerun(**{name: numbers}))[(0, *position)])
    why = WHY.get(call.name, "the same number at another place")
    op, parameters = _kind(call, why)
    if not 0 < found <= x.numel():  # a place that nothing was moved to
        constant = float(call.arguments.get("value") or 0.0)
        return UnitStep(op, call.module, "nothing was put here", value, constant, 0.0, (), parameters=parameters)
    spot = _unravelled(found - 1, x)
    term = Term(source, spot[1:], float(x[spot].double()))
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


def _unravelled(number: int, x: Tensor) -> tuple[int, ...]:
    spot = []
    for length in reversed(x.shape):
        number, rest = divmod(number, length)
        spot.append(rest)
    return tuple(reversed(spot))


def _term(trace: Trace, number: int, position: Position, weight: float = 1.0) -> Term:
    """The value that broadcasts to a place."""
    x = trace.values[number].tensor
    spot = tuple(0 if length == 1 else at for at, length in zip(position, x.shape[1:], strict=True))
    return Term(number, spot, float(x[(0, *spot)].double()), weight)

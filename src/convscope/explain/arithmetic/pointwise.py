"""Elementwise operations: normalisation, activation functions, and modules that return their input unchanged."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.explain.arithmetic.terms import Position, Term, UnitStep
from convscope.explain.arithmetic.trace import Call, ModuleRun, Trace
from convscope.explain.arithmetic.weighted import other, unit_roundoff

ROUNDINGS = 16
"""Upper bound on the number of roundings in a norm or an activation."""
ROUNDINGS_WITH_STATISTICS = 64
"""The same if mean and variance of the image are computed as well."""
NAMES = {"hardtanh": "relu6", "leaky_relu": "leaky"}


def activation(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Activation function, applied to this one value in float64."""
    name = "input" if "input" in call.arguments else "self"
    source = call.source(name)
    if source is None:
        return other(trace, call, position, value)
    x = trace.values[source].tensor
    before = x[(0, *position)].double()
    exact = float(call.rerun(**{name: before.reshape(1, 1, 1, 1)}).reshape(()))
    function = NAMES.get(call.name, call.name)
    bound = ROUNDINGS * unit_roundoff(x) * max(abs(float(before)), abs(exact)) + 1e-37
    term = Term(source, position, float(before))
    return UnitStep(
        "activation", call.module, f"{function} of {float(before):.6g}", value, exact, bound, (term,),
        parameters={"name": function, "input": float(before)}, count=1,
    )  # fmt: skip


def batch_norm(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Ioffe and Szegedy 2015, algorithm 1, with the running statistics: a scale and a shift for each channel."""
    source, channel = call.source("input"), position[0]
    mean, variance = (_at(call.arguments.get(name), channel) for name in ("running_mean", "running_var"))
    if source is None or mean is None or variance is None or call.arguments.get("training"):
        return other(trace, call, position, value)
    weight, bias = _at(call.arguments["weight"], channel), _at(call.arguments["bias"], channel)
    moments = (mean, variance, float(call.arguments["eps"]))
    return _affine(trace, call, position, value, "batch", moments, (weight, bias), ROUNDINGS)


def group_norm(trace: Trace, call: Call, position: Position, value: float) -> UnitStep:
    """Wu and He 2018, equation 1: mean and variance over the positions and channels of a group of this image."""
    source, groups = call.source("input"), int(call.arguments["group"])
    if source is None:
        return other(trace, call, position, value)
    x = trace.values[source].tensor[0].double()
    size = x.shape[0] // groups
    first = position[0] // size * size
    part = x[first : first + size]
    moments = (float(part.mean()), float(part.var(unbiased=False)), float(call.arguments["eps"]))
    weights = _at(call.arguments["weight"], position[0]), _at(call.arguments["bias"], position[0])
    return _affine(
        trace, call, position, value, "layer" if groups == 1 else "group", moments, weights, ROUNDINGS_WITH_STATISTICS
    )


def _affine(
    trace: Trace, call: Call, position: Position, value: float, kind: str, moments: tuple[float, float, float],
    learned: tuple[float | None, float | None], roundings: int,
) -> UnitStep:  # fmt: skip
    source = call.source("input")
    assert source is not None  # checked by the callers
    x = trace.values[source].tensor
    before = float(x[(0, *position)].double())
    mean, variance, epsilon = moments
    weight, bias = (1.0 if learned[0] is None else learned[0]), (learned[1] or 0.0)
    scale = weight / np.sqrt(variance + epsilon)
    shift = bias - mean * scale
    bound = roundings * unit_roundoff(x) * (abs(scale * before) + abs(scale * mean) + abs(bias)) + 1e-37
    parameters = {
        "kind": kind, "mean": mean, "variance": variance, "epsilon": epsilon, "weight": weight, "bias": bias,
        "scale": float(scale), "shift": float(shift), "input": before,
    }  # fmt: skip
    description = f"{scale:.6g} x {before:.6g} {'+' if shift >= 0 else '-'} {abs(shift):.6g}"
    term = Term(source, position, before, float(scale))
    return UnitStep(
        "norm", call.module, description, value, float(scale * before + shift), float(bound), (term,),
        parameters=parameters, count=1,
    )  # fmt: skip


def local_response_norm(trace: Trace, run: ModuleRun, position: Position, value: float) -> UnitStep:
    """Krizhevsky et al. 2012, section 3.3: divided by the activity of neighbouring channels at the same position."""
    norm, source = run.module, run.inputs[0]
    assert isinstance(norm, nn.LocalResponseNorm)  # checked by the caller
    x = trace.values[source].tensor
    channel, *rest = position
    before = float(x[(0, *position)].double())
    first, stop = max(0, channel - norm.size // 2), channel + (norm.size - 1) // 2 + 1
    near = x[0, first:stop].double()
    for at in rest:
        near = near[:, at]
    divisor = float((norm.k + norm.alpha * (near**2).sum() / norm.size) ** norm.beta)
    bound = ROUNDINGS_WITH_STATISTICS * unit_roundoff(x) * abs(before / divisor) + 1e-37
    term = Term(source, position, before, 1 / divisor)
    return UnitStep(
        "local response norm", run.name, f"{before:.6g} / {divisor:.6g}", value, before / divisor, bound, (term,),
        parameters={"input": before, "divisor": divisor, "channels": [first, min(stop, x.shape[1])]}, count=1,
    )  # fmt: skip


def unchanged(names: list[str], number: int, position: Position, value: float) -> list[UnitStep]:
    """Modules that return their input unchanged."""
    why = "unchanged: dropout is active in training only, identity never"
    term = Term(number, position, value)
    return [
        UnitStep("pass", name, why, value, value, 0.0, (term,), parameters={"why": why}, count=1) for name in names
    ]  # fmt: skip


def _at(tensor: Any, channel: int) -> float | None:
    return float(tensor[channel].double()) if isinstance(tensor, Tensor) else None


def is_activation(call: Call) -> bool:
    """Return whether an operation is elementwise, with a single tensor among its arguments."""
    return call.name in ACTIVATIONS and len([v for v in call.arguments.values() if isinstance(v, torch.Tensor)]) == 1


ACTIVATIONS = frozenset({
    "relu", "hardtanh", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "elu", "selu", "celu", "mish", "softplus",
    "hardswish", "hardsigmoid", "clamp", "clamp_min", "logsigmoid", "log_sigmoid", "neg", "exp", "abs", "sqrt", "pow",
})  # fmt: skip

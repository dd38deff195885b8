"""The arithmetic behind one activation: the products that were summed, and the operations applied to the sum.

The values are those of a forward pass; each step is recomputed in float64 from its inputs, with a bound on the
difference due to rounding.
"""

from collections.abc import Callable

from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError
from convscope.explain.arithmetic import joined, pointwise, pooling, weighted
from convscope.explain.arithmetic.terms import Position, Unit, UnitStep
from convscope.explain.arithmetic.trace import Call, Trace, trace_pass

OperationRule = Callable[[Trace, Call, Position, float], UnitStep]

COMBINING: dict[str, OperationRule] = {
    "convolution": weighted.convolution,
    "addmm": weighted.fully_connected,
    "mm": weighted.fully_connected,
    "max_pool2d_with_indices": pooling.max_pool,
    "adaptive_max_pool2d": pooling.max_pool,
    "avg_pool2d": pooling.linear,
    "_adaptive_avg_pool2d": pooling.linear,
    "mean": pooling.linear,
    "upsample_bilinear2d": pooling.linear,
    "upsample_nearest2d": joined.rearranged,
    "max_unpool2d": joined.rearranged,
    "add": joined.add,
    "sub": joined.add,
    "mul": joined.multiply,
    "cat": joined.concatenate,
}
ELEMENTWISE: dict[str, OperationRule] = {
    "native_batch_norm": pointwise.batch_norm,
    "cudnn_batch_norm": pointwise.batch_norm,
    "_native_batch_norm_legit_no_training": pointwise.batch_norm,
    "native_group_norm": pointwise.group_norm,
    **dict.fromkeys(
        (
            *("view", "_unsafe_view", "slice", "squeeze", "unsqueeze", "permute", "transpose", "clone"),
            *("constant_pad_nd", "replicate_pad2d", "reflection_pad2d", "flip", "expand", "contiguous"),
            *("alias", "select", "_to_copy"),
        ),
        joined.rearranged,
    ),
}  # fmt: skip


def unit(
    model: nn.Module, x: Tensor, layer: str, channel: int, position: tuple[int, int] = (0, 0), most: int = 64
) -> Unit:
    """Explain the arithmetic behind one value of a layer's output.

    Args:
        model: any network of maps (B, C, h, w) and vectors (B, C).
        x: (1, C, H, W), one preprocessed image.
        layer: a module's dotted name, "input", or an unnamed value such as "@57" from the terms of an earlier result.
        channel: channel of its maps, or index in its vector.
        position: row and column.
        most: maximum number of products listed; the others are summed.
    Raises:
        ModelError: no such layer.
        ConfigError: no such channel, row or column.

    >>> import torch
    >>> net = nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.ReLU())
    >>> _ = nn.init.constant_(net[0].weight, 0.5)
    >>> found = unit(net, torch.ones(1, 1, 5, 5), "1", 0, (1, 1))
    >>> [(step.op, step.sum) for step in found.steps], found.steps[0].count
    ([('convolution', 4.5), ('activation', 4.5)], 9)
    """
    with trace_pass(model, x) as trace:
        number = trace.number_of(model, layer)
        index = _checked_index(trace.values[number].tensor, layer, channel, position)
        value = _value(trace, number, index)
        steps = tuple(step.truncated(most) for step in _steps(trace, number, index, layer))
        sources = {term.source for step in steps for term in step.terms}
        sources |= {step.window["layer"] for step in steps if step.window}
        sources |= {step.parameters["gate_layer"] for step in steps if "gate_layer" in step.parameters}
        return Unit(layer, index, value, steps, {source: trace.name_of(source) for source in sources})


def _steps(trace: Trace, number: int, position: Position, layer: str) -> list[UnitStep]:
    """Follow the value back to the operation that combined several values; return the steps in order of computation."""
    steps: list[UnitStep] = []
    modules = trace.values[number].unchanged_by
    if layer in modules:
        steps += pointwise.unchanged(
            modules[: modules.index(layer) + 1][::-1], number, position, _value(trace, number, position)
        )
    while (call := trace.values[number].call) is not None:
        step = _step(trace, number, call, position)
        steps.append(step)
        if step.op not in ("norm", "activation", "pass", "local response norm") or len(step.terms) != 1:
            break
        number, position = step.terms[0].source, step.terms[0].position
        steps += pointwise.unchanged(
            trace.values[number].unchanged_by[::-1] if trace.values[number].call else [], number, position,
            _value(trace, number, position),
        )  # fmt: skip
    return steps[::-1]


def _step(trace: Trace, number: int, call: Call, position: Position) -> UnitStep:
    value = _value(trace, number, position)
    for run in trace.runs:
        if run.output == number and isinstance(run.module, nn.LocalResponseNorm):
            return pointwise.local_response_norm(trace, run, position, value)
    if pointwise.is_activation(call):
        return pointwise.activation(trace, call, position, value)
    rule = COMBINING.get(call.name) or ELEMENTWISE.get(call.name) or weighted.other
    return rule(trace, call, position, value)


def _value(trace: Trace, number: int, position: Position) -> float:
    return float(trace.values[number].tensor[(0, *position)].double())


def _checked_index(tensor: Tensor, layer: str, channel: int, position: tuple[int, int]) -> Position:
    """Return the index in the tensor; raise if the position is outside it."""
    if tensor.ndim not in (2, 4):
        shape = tuple(tensor.shape)
        raise ModelError(f"layer {layer}: output of shape {shape}, not maps or vectors; choose another layer")
    shape = tuple(tensor.shape[1:])
    for axis, at, length in zip(("channel", "row", "column"), (channel, *position), (*shape, 1, 1), strict=False):
        if not 0 <= at < length:
            raise ConfigError(f"{axis}: no {at} in layer {layer}, which has {length}; choose from 0 to {length - 1}")
    return (channel, *position)[: len(shape)]

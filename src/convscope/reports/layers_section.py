"""The part of the report on gradients and activations by depth."""

from typing import Any

from convscope.charts import by_depth
from convscope.runs.folder import RunFolder

MIN_LAYERS = 3  # with fewer there is no depth to see
MOST_LINES = 3  # the first measurement, one halfway, and the last


def layers_chart(folder: RunFolder) -> str:
    """Return the chart of the gradient norms and the scales of the outputs by layer; "" if nothing was measured."""
    events = folder.events("layers_measured")
    gradients = {f"epoch {one['epoch']}": _values(one, "gradient_norm") for one in _some(events)}
    measured = [one for one in events if one.get("input_std") is not None]
    scales = {f"epoch {one['epoch']}": [value**0.5 for value in _values(one, "variance")] for one in _some(measured)}
    gradients = {name: values for name, values in gradients.items() if len(values) >= MIN_LAYERS}
    return by_depth(gradients, scales) if gradients else ""


def _some(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = len(events) - 1
    return [events[i] for i in sorted({0, last // 2, last})][:MOST_LINES] if events else []


def _values(event: dict[str, Any], figure: str) -> list[float]:
    """Return a figure of the convolutional and dense layers, in order."""
    layers = (one for one in event["layers"] if one.get("weight_norm") is not None)
    return [float(one[figure]) for one in layers if one.get(figure) is not None]

"""An activation after the last layer, before a loss that expects logits."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LIMITING = ("Softmax", "LogSoftmax", "Sigmoid", "Hardsigmoid", "Tanh", "ReLU", "ReLU6")


def activation_after_logits(records: RunRecords) -> Finding | None:
    """Find a softmax, sigmoid or ReLU behind the logits: the loss applies its own, so that gradients shrink."""
    if not records.recipe.task_class.names_classes or not records.modules:
        return None
    name, kind = next(((n, k) for n, k in reversed(records.modules) if k not in ("Identity", "Flatten")), ("", ""))
    if kind not in LIMITING:
        return None
    return Finding(
        "activation_after_logits", 0.9, f"layer {name}",
        f"the network ends with {kind}, and the loss expects logits, to which it applies its own softmax or sigmoid",
        1.0, None, Change(f"remove {kind} after the last layer"),
    )  # fmt: skip

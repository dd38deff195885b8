"""An activation after the last layer, before a loss that expects logits."""

import numpy as np

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LIMITING = ("Softmax", "LogSoftmax", "Sigmoid", "Hardsigmoid", "Tanh", "ReLU", "ReLU6")
LEAST_IMAGES = 20
MOST_ERROR = 1e-3  # of the sum of the outputs of an image
LEAST_ZEROS = 0.2  # of all outputs, of which none is negative


def activation_after_logits(records: RunRecords) -> Finding | None:
    """Find a softmax, sigmoid or ReLU behind the logits: the loss applies its own, so that gradients shrink.

    Activations that are modules are seen in the network; a softmax or ReLU in `forward` by its outputs, which sum to 1
    for each image, or of which many are exactly 0 and none is negative.
    """
    if not records.recipe.task_class.names_classes:
        return None
    name, kind = next(((n, k) for n, k in reversed(records.modules) if k not in ("Identity", "Flatten")), ("", ""))
    if kind in LIMITING:
        where, subject = f"layer {name}", f"the network ends with {kind}"
        change = Change(f"remove {kind} after the last layer")
    elif kind := _kind_of(records):
        where, subject = "output", f"the outputs are those of a {kind} in forward"
        change = Change(f"return what comes before the {kind}")
    else:
        return None
    message = f"{subject}, and the loss expects logits, to which it applies its own softmax or sigmoid"
    return Finding("activation_after_logits", 0.9, where, message, 1.0, None, change)


def _kind_of(records: RunRecords) -> str:
    """Return the activation that the outputs show, or ""."""
    x = records.outputs
    if x is None or len(x) < LEAST_IMAGES or x.ndim != 2 or x.shape[1] < 2 or not (x >= 0).all():
        return ""
    if np.abs(x.sum(1) - 1).max() < MOST_ERROR:
        return "softmax"
    return "ReLU" if (x == 0).mean() >= LEAST_ZEROS else ""

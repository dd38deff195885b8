"""Records of a run that was never trained, for the checks of the learning."""

from dataclasses import replace
from typing import Any

import numpy as np

from convscope.runs.recipe import Recipe
from convscope.runs.training_records import RunRecords

FALLING = [2.0, 1.4, 1.0, 0.8, 0.75, 0.74]
HEALTHY = RunRecords(
    recipe=Recipe(),
    classes=("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"),
    class_counts=np.full(10, 100),
    modules=(("stem.conv", "Conv2d"), ("stem.norm", "BatchNorm2d"), ("stem.act", "ReLU"), ("head.fc", "Linear")),
    confusion=np.full((10, 10), 1) + np.diag([20] * 10),
)


def epochs(train: list[float], validation: list[float], scores: list[float] | None = None) -> list[dict[str, Any]]:
    """Records of epochs with these losses and validation accuracies."""
    scores = scores or [0.5] * len(train)
    return [
        {"epoch": i, "train": {"loss": t}, "validation": {"loss": v, "accuracy": s}, "learning_rate": 0.1}
        for i, (t, v, s) in enumerate(zip(train, validation, scores, strict=True), 1)
    ]


def layer(name: str, **figures: Any) -> dict[str, Any]:
    """The record of a layer; by default of a healthy convolution."""
    return {
        "name": name, "layer_type": "Conv2d", "dead": None, "variance": 1.0, "gradient_norm": 0.1, "weight_norm": 3.0,
        "identical": False, **figures,
    }  # fmt: skip


def measured(*layers: dict[str, Any], mean: float = 0.0, std: float = 1.0) -> dict[str, Any]:
    """The record of a measurement with activations."""
    return {"epoch": 1, "step": 10, "layers": list(layers), "input_mean": mean, "input_std": std}


def records(**changes: Any) -> RunRecords:
    """Healthy records with some changes."""
    start = replace(HEALTHY, epochs=epochs(FALLING, [loss + 0.1 for loss in FALLING]))
    return replace(start, **{"layers": [measured(*(layer(f"conv{i}") for i in range(6)))], **changes})

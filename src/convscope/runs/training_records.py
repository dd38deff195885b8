"""The records that training keeps of itself, which the checks of the learning read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from convscope.runs.folder import RunFolder
from convscope.runs.predictions import load_predictions
from convscope.runs.recipe import Recipe

Record = Mapping[str, Any]
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)  # without children they are no layers


@dataclass(frozen=True, eq=False)
class RunRecords:
    """The records of a run, finished or not.

    Attributes:
        recipe: all settings.
        classes: the names of the classes, labels or numbers.
        class_counts: (K,) images of each in the training split.
        epochs: "epoch" events: "train" and "validation" scores, "learning_rate".
        layers: "layers_measured" events, in order.
        steps: the loss of each step whose loss was read.
        first_loss: that of the first step; None if it was not read, or is not recorded yet.
        modules: (name, class) of the layers without children, in order.
        confusion: (K, K) counts of validation images, row = true class, column = predicted; None where the task
            predicts no classes.
        failure: the error that ended the training, "" if none did.
        finished: whether no epoch is left to train.
    """

    recipe: Recipe
    classes: tuple[str, ...]
    class_counts: NDArray[np.int64]
    epochs: Sequence[Record] = ()
    layers: Sequence[Record] = ()
    steps: Sequence[float] = ()
    first_loss: float | None = None
    modules: tuple[tuple[str, str], ...] = ()
    confusion: NDArray[np.int64] | None = None
    failure: str = ""
    finished: bool = True

    def losses(self, part: str) -> list[float]:
        """Return the loss of each epoch on "train" or "validation"; infinite where it was not finite."""
        values = (epoch[part].get("loss") for epoch in self.epochs)
        return [math.inf if value is None else float(value) for value in values]

    def scores(self) -> list[float]:
        """Return the primary validation score of each epoch; nan where there is none."""
        primary = self.recipe.task_class.primary
        values = (epoch["validation"].get(primary) for epoch in self.epochs)
        return [math.nan if value is None else float(value) for value in values]

    @property
    def step_count(self) -> int:
        """The number of optimiser steps so far; 0 if it is not known."""
        return int(self.epochs[-1].get("step") or 0) if self.epochs else 0

    @property
    def measured(self) -> Sequence[Record]:
        """The layers at the last measurement of the gradients; empty if there is none."""
        return self.layers[-1]["layers"] if self.layers else ()

    @property
    def activations(self) -> Record | None:
        """The last measurement that includes activations."""
        return next((record for record in reversed(self.layers) if record.get("input_std") is not None), None)

    @property
    def weighted(self) -> list[Record]:
        """The convolutional and dense layers at the last measurement that had gradients, in order."""
        return [layer for layer in self.measured if layer.get("gradient_norm") is not None]

    @property
    def chance_loss(self) -> float | None:
        """Cross entropy, in nats, of always predicting the frequencies of the classes; None for other tasks."""
        if not self.recipe.task_class.single_class or not self.class_counts.any():
            return None
        shares = self.class_counts[self.class_counts > 0] / self.class_counts.sum()
        return float(-(shares * np.log(shares)).sum())

    @property
    def least_loss(self) -> float:
        """The training loss of perfect predictions, which label smoothing keeps above 0."""
        smoothing, count = float(self.recipe.loss.get("label_smoothing", 0) or 0), len(self.classes)
        if not smoothing or count < 2:
            return 0.0
        others = smoothing / count
        right = 1 - smoothing + others
        return -right * math.log(right) - (count - 1) * others * math.log(others)


def module_types(model: nn.Module) -> tuple[tuple[str, str], ...]:
    """Return the name and class of each layer without children, in order; auxiliary classifiers are left out."""
    layers = {name: module for name, module in model.named_modules() if not any(module.children())}
    return tuple(
        (name, type(module).__name__)
        for name, module in layers.items()
        if not isinstance(module, CONTAINERS) and not name.startswith("auxiliary.")
    )


def first_loss(steps: Sequence[Record]) -> float | None:
    """Return the loss of step 1 from "step" events, infinite if it was not finite; None if it was not read."""
    if not steps or steps[0]["step"] != 1 or "loss" not in steps[0]:
        return None
    loss = steps[0]["loss"]
    return None if loss is None else float(loss)


def read_records(folder: RunFolder) -> RunRecords:
    """Return the records of a run on disk, without `modules`, for which the network is opened.

    Raises:
        RunError: files of the run are missing or damaged.
    """
    content, recipe = folder.data(), folder.recipe()
    classes = tuple(content["classes"])
    counts = {entry["name"]: entry.get("train", 0) for entry in content["summary"]["classes"]}
    failures = [event["text"] for event in folder.events("training_failed")]
    confusion = None
    if folder.has_predictions("validation"):
        predictions = load_predictions(folder, "validation")
        confusion = predictions.task.confusion(predictions.meter)
    steps = folder.events("step")
    return RunRecords(
        recipe=recipe,
        classes=classes,
        class_counts=np.array([counts.get(name, 0) for name in classes], np.int64),
        epochs=folder.events("epoch"),
        layers=folder.events("layers_measured"),
        steps=[float(event["loss"]) for event in steps if event.get("loss") is not None],
        first_loss=first_loss(steps),
        confusion=confusion,
        failure=failures[-1] if failures else "",
        finished=folder.has_predictions("validation"),
    )

"""Images and figures of a run for the pictures of the pages."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.analysis.target import open_target
from convscope.errors import RunError
from convscope.models import summarize
from convscope.models.summary.model_summary import LayerSummary
from convscope.modules import eval_mode
from convscope.runs.confusion_log import confusion_epochs, load_confusion
from convscope.runs.folder import RunFolder

MOST_CLASSES = 10
KERNEL_SIDES = (2, 7)


class RunPictures:
    """A run with its network and its validation images.

    Raises:
        RunError: it is not a run on images, or has no network or no validation image.
    """

    def __init__(self, path: Path) -> None:
        self.folder = RunFolder.open(path)
        self.target = open_target(path)
        self.images = self.target.read("validation")
        if len(self.target.size) != 2 or not len(self.images):
            raise RunError(f"{path}: has no validation images to draw; choose a run on images")

    def image(self, most: int) -> NDArray[np.float64]:
        """Return the first validation image, (H, W) grey in [0, 1], at most `most` pixels a side."""
        grey = self.images.pixels(slice(0, 1)).mean(1, keepdim=True)
        height, width = grey.shape[2:]
        factor = -(-max(height, width) // most)
        pooled = nn.functional.avg_pool2d(grey, factor) if factor > 1 else grey
        return np.asarray(pooled[0, 0].double().numpy())

    def kernel(self) -> NDArray[np.float64] | None:
        """Return the first filter of the first convolution, its channels added; None if it is no square of 2 to 7."""
        first = next((module for module in self.target.model.modules() if isinstance(module, nn.Conv2d)), None)
        if first is None or first.kernel_size[0] != first.kernel_size[1]:
            return None
        low, high = KERNEL_SIDES
        if not low <= first.kernel_size[0] <= high:
            return None
        return np.asarray(first.weight[0].detach().cpu().sum(0).double().numpy())

    def layers(self) -> tuple[LayerSummary, ...]:
        """Return the layers of its network."""
        shape = (len(self.target.mean), *self.target.size)
        return summarize(self.target.model, shape).layers

    def losses(self) -> tuple[list[float], list[float]]:
        """Return its losses by epoch on the training and the validation images."""
        epochs = self.folder.events("epoch")
        found = [[epoch[split].get("loss", np.nan) for epoch in epochs] for split in ("train", "validation")]
        return [float(value) for value in found[0]], [float(value) for value in found[1]]

    def scores(self) -> dict[str, float]:
        """Return the logits of its network for the image, of the first ten classes.

        Raises:
            RunError: its task has no class scores.
        """
        if not self.target.classes or not self.target.task.names_classes:
            raise RunError(f"{self.folder.path}: its task has no class scores; choose a run that classifies")
        with eval_mode(self.target.model), torch.no_grad():
            logits = self.target.task.class_scores(self.target.model(self.target.input(self.images, slice(0, 1))))
        assert logits is not None  # the task names classes
        values = logits.flatten()[:MOST_CLASSES].tolist()
        return dict(zip(self.target.classes, map(float, values), strict=False))

    def confusion(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the first ten classes and their counts in the last epoch: row = true class, column = predicted.

        Raises:
            RunError: the run has no confusion matrix.
        """
        epochs, classes = confusion_epochs(self.folder), self.target.classes
        counts = load_confusion(self.folder, epochs[-1], len(classes)) if epochs else None
        if counts is None:
            raise RunError(f"{self.folder.path}: has no confusion matrix; choose a run with one class per image")
        return classes[:MOST_CLASSES], counts[:MOST_CLASSES, :MOST_CLASSES]

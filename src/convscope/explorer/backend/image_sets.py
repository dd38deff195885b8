"""The run's images: lists, predictions, and cells of the confusion matrix."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from convscope.analysis.target import ImageSet
from convscope.bundle.bundle import WEIGHTS_FILE
from convscope.explorer.backend.label_corrections import LabelCorrections
from convscope.explorer.backend.live_run import EXPLORED_SPLITS, LiveRun
from convscope.explorer.backend.split_errors import SplitErrors
from convscope.runs.confusion_log import confusion_epochs, load_confusion
from convscope.runs.predictions import load_predictions
from convscope.web.errors import NotAvailableError, NotFoundError

ID = re.compile(r"(train|validation)-(\d{1,9})")
ORDERS = ("name", "most_confident", "least_confident", "worst")


@dataclass(frozen=True, eq=False)
class SplitPredictions:
    """Predictions for a split: (N,) class indices, -1 if there is none, and (N,) confidences."""

    predicted: np.ndarray
    confidence: np.ndarray


class ImageSets:
    """A run's train and validation images."""

    def __init__(self, run: LiveRun, corrections: LabelCorrections) -> None:
        self.run, self.corrections = run, corrections
        self.errors = SplitErrors(run)
        self._predictions: dict[str, tuple[float, SplitPredictions]] = {}
        self._names: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {}

    def split_and_index(self, image: str) -> tuple[str, int]:
        """Return the split and index of an image id.

        Raises:
            NotFoundError: no such image.
        """
        found = ID.fullmatch(image)
        if found:
            split, index = found[1], int(found[2])
            if index < len(self.run.images(split)):
                return split, index
        raise NotFoundError(f"image {image[:60]}: not in the train or validation split; choose another")

    def index_of(self, split: str, name: str) -> int | None:
        """Return the index of an image by its name; None if the split has no such image."""
        names = self.run.images(split).names
        if self._names.get(split, ((), {}))[0] is not names:
            self._names[split] = names, {one: index for index, one in enumerate(names)}
        return self._names[split][1].get(name)

    def image(self, image: str) -> ImageSet:
        """Return one image by its id."""
        split, index = self.split_and_index(image)
        return self.run.images(split).select([index])

    def record(self, split: str, index: int) -> dict[str, Any]:
        """Return an image's record, as sent to the page."""
        images, predictions = self.run.images(split), self.predictions(split)
        truth, predicted = int(images.targets[index]), int(predictions.predicted[index]) if predictions else -1
        name, errors = images.names[index], self.errors.of(split)
        return {
            "id": f"{split}-{index}", "name": name, "split": split, "truth": truth if truth >= 0 else None,
            "predicted": predicted if predicted >= 0 else None,
            "confidence": float(predictions.confidence[index]) if predictions and predicted >= 0 else None,
            "correction": self.corrections.of(name), "wrong": bool(errors.wrong[index]) if errors else None,
            "error": _finite(errors.values[index]) if errors else None, "note": errors.texts[index] if errors else "",
        }  # fmt: skip

    def page(
        self, split: str, chosen: np.ndarray, order: str, first: int, count: int
    ) -> dict[str, Any]:  # fmt: skip
        """Return one page of the images at these indices, in an order."""
        predictions = self.predictions(split)
        if order == "worst":
            chosen = chosen[np.argsort(-self.errors.require(split).values[chosen], kind="stable")]
        elif order != "name" and predictions:
            confidence = predictions.confidence[chosen]
            chosen = chosen[np.argsort(-confidence if order == "most_confident" else confidence, kind="stable")]
        indices = chosen[first : first + count].tolist()
        return {"total": len(chosen), "images": [self.record(split, index) for index in indices]}

    def search(self, split: str, of_class: int | None, mistakes: bool, text: str) -> np.ndarray:
        """Return the indices of images of a class, of mistakes, or whose name contains a text.

        Raises:
            NotAvailableError: mistakes in a split without predictions.
        """
        images = self.run.images(split)
        keep = np.ones(len(images), bool)
        if of_class is not None:
            keep &= images.targets == of_class
        if mistakes:
            keep &= self.errors.require(split).wrong
        if text:
            keep &= np.array([text.lower() in name.lower() for name in images.names], bool)
        return np.flatnonzero(keep)

    def confusion(self, split: str, epoch: int | None = None) -> dict[str, Any]:
        """Return the confusion matrix of the current network, or of one epoch.

        Raises:
            NotAvailableError: the split has no predictions.
            NotFoundError: no matrix of that epoch was recorded.
        """
        shown = self.run.loaded_model()
        count, current = len(shown.config.classes), shown.config.epoch
        epochs = confusion_epochs(self.run.folder) if split == "validation" else []
        found = None
        if epoch is not None and epoch not in epochs:
            raise NotFoundError(f"epoch: no confusion matrix of epoch {epoch} for the {split} split; omit epoch")
        if epoch is not None or (current in epochs and self.predictions(split) is None):
            found = load_confusion(self.run.folder, current if epoch is None else epoch, count)
        if found is None:
            images, predictions = self.run.images(split), self._require_predictions(split)
            known = (predictions.predicted >= 0) & (images.targets >= 0)
            pairs = images.targets[known] * count + predictions.predicted[known]
            found = np.bincount(pairs, minlength=count * count).reshape(count, count)
        return {
            "split": split, "classes": shown.config.classes, "counts": found.tolist(), "rows": "truth",
            "columns": "predicted", "epoch": current if epoch is None else epoch, "epochs": epochs,
        }  # fmt: skip

    def cell(self, split: str, truth: int, predicted: int) -> np.ndarray:
        """Return the indices of the images of one class that were classified as another."""
        images, predictions = self.run.images(split), self._require_predictions(split)
        return np.flatnonzero((images.targets == truth) & (predictions.predicted == predicted))

    def predictions(self, split: str) -> SplitPredictions | None:
        """Return the saved predictions for a split; None if there are none of the current network."""
        folder, file = self.run.folder, self.run.folder.predictions / f"{split}.npz"
        if not self.run.loaded_model().task.single_class or not file.exists():
            return None
        modified = file.stat().st_mtime
        if modified < (folder.model / WEIGHTS_FILE).stat().st_mtime:  # of an older network
            return None
        if self._predictions.get(split, (0.0, None))[0] != modified:
            self._predictions[split] = modified, self._read(split)
        return self._predictions[split][1]

    def _read(self, split: str) -> SplitPredictions:
        saved: Any = load_predictions(self.run.folder, split)
        probabilities = saved.task.class_probabilities(saved.task.class_scores(saved.meter.output)).numpy()
        index = {name: i for i, name in enumerate(saved.names)}
        rows = np.array([index.get(name, -1) for name in self.run.images(split).names], np.int64)
        predicted = np.where(rows >= 0, saved.task.predicted_class(probabilities)[rows], -1)
        return SplitPredictions(predicted, np.where(rows >= 0, probabilities.max(1)[rows], 0.0))

    def _require_predictions(self, split: str) -> SplitPredictions:
        found = self.predictions(split)
        if found is None:
            task = self.run.loaded_model().task
            if not task.single_class:
                raise NotAvailableError(
                    f"confusion: the run's task is {task.name}, which does not have one class per image"
                )
            raise NotAvailableError(
                f"confusion: the {split} split has no predictions yet; run the job predictions for {split}"
            )
        return found


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def checked_split(split: str) -> str:
    """Return the split if it may be explored.

    Raises:
        NotFoundError: another one; the test split is for the final evaluation only.
    """
    if split not in EXPLORED_SPLITS:
        raise NotFoundError(f"split: no {split[:40]} to explore; choose train or validation")
    return split

"""The run's images for looking at: lists, the network's answers on them, cells of the confusion matrix, pictures."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from convscope.analysis.target import ImageSet
from convscope.bundle.bundle import WEIGHTS_FILE
from convscope.explorer.backend.errors import NotAvailableError, NotFoundError
from convscope.explorer.backend.label_corrections import LabelCorrections
from convscope.explorer.backend.live_run import EXPLORED_SPLITS, LiveRun
from convscope.runs.confusion_log import confusion_epochs, load_confusion
from convscope.runs.predictions import load_predictions

ID = re.compile(r"(train|validation)-(\d{1,9})")
ORDERS = ("name", "surest", "unsure")


@dataclass(frozen=True, eq=False)
class SplitAnswers:
    """What the network says of a set: (N,) answers, -1 where it was not asked, and how sure it was."""

    predicted: np.ndarray
    confidence: np.ndarray


class ImageSets:
    """A run's train and validation images."""

    def __init__(self, run: LiveRun, corrections: LabelCorrections) -> None:
        self.run, self.corrections = run, corrections
        self._predictions: dict[str, tuple[float, SplitAnswers]] = {}
        self._names: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {}

    def split_and_index(self, image: str) -> tuple[str, int]:
        """An image id as its set and place.

        Raises:
            UnknownError: there is none.
        """
        found = ID.fullmatch(image)
        if found:
            split, index = found[1], int(found[2])
            if index < len(self.run.images(split)):
                return split, index
        raise NotFoundError(f"image {image[:60]}: is not in the run's train or validation set; choose another")

    def index_of(self, split: str, name: str) -> int | None:
        """The index of an image by its name; None where the split has none of that name."""
        names = self.run.images(split).names
        if self._names.get(split, ((), {}))[0] is not names:
            self._names[split] = names, {one: index for index, one in enumerate(names)}
        return self._names[split][1].get(name)

    def image(self, image: str) -> ImageSet:
        """One image by its id."""
        split, index = self.split_and_index(image)
        return self.run.images(split).select([index])

    def record(self, split: str, index: int) -> dict[str, Any]:
        """An image as the page gets it."""
        images, predictions = self.run.images(split), self.predictions(split)
        truth, answer = int(images.targets[index]), int(predictions.predicted[index]) if predictions else -1
        name = images.names[index]
        return {
            "id": f"{split}-{index}", "name": name, "split": split, "truth": truth if truth >= 0 else None,
            "answer": answer if answer >= 0 else None,
            "confidence": float(predictions.confidence[index]) if predictions and answer >= 0 else None,
            "mark": self.corrections.of(name),
        }  # fmt: skip

    def listed(
        self, split: str, chosen: np.ndarray, order: str, first: int, count: int
    ) -> dict[str, Any]:  # fmt: skip
        """A part of the images at some places, in an order."""
        predictions = self.predictions(split)
        if order != "name" and predictions:
            sure = predictions.confidence[chosen]
            chosen = chosen[np.argsort(-sure if order == "surest" else sure, kind="stable")]
        page = chosen[first : first + count].tolist()
        return {"total": len(chosen), "images": [self.record(split, index) for index in page]}

    def found(self, split: str, of_class: int | None, mistakes: bool, text: str) -> np.ndarray:
        """The places of images of a class, of mistakes, or whose name contains a text.

        Raises:
            NotYetError: mistakes of a set that the network was not asked about.
        """
        images = self.run.images(split)
        keep = np.ones(len(images), bool)
        if of_class is not None:
            keep &= images.targets == of_class
        if mistakes:
            predictions = self._require_predictions(split)
            keep &= (predictions.predicted >= 0) & (predictions.predicted != images.targets)
        if text:
            keep &= np.array([text.lower() in name.lower() for name in images.names], bool)
        return np.flatnonzero(keep)

    def confusion(self, split: str, epoch: int | None = None) -> dict[str, Any]:
        """Which classes are taken for which: by the network as it is, or as it was after an epoch.

        Raises:
            NotYetError: the network was not asked about that set.
            UnknownError: nothing was kept of that epoch.
        """
        shown = self.run.loaded_model()
        count, now = len(shown.config.classes), shown.config.epoch
        epochs = confusion_epochs(self.run.folder) if split == "validation" else []
        found = None
        if epoch is not None and epoch not in epochs:
            raise NotFoundError(f"epoch: no matrix of epoch {epoch} and the {split} set was kept; ask without epoch")
        if epoch is not None or (now in epochs and self.predictions(split) is None):
            found = load_confusion(self.run.folder, now if epoch is None else epoch, count)
        if found is None:
            images, predictions = self.run.images(split), self._require_predictions(split)
            known = (predictions.predicted >= 0) & (images.targets >= 0)
            pairs = images.targets[known] * count + predictions.predicted[known]
            found = np.bincount(pairs, minlength=count * count).reshape(count, count)
        return {
            "split": split, "classes": shown.config.classes, "counts": found.tolist(), "rows": "truth",
            "columns": "answer", "epoch": now if epoch is None else epoch, "epochs": epochs,
        }  # fmt: skip

    def cell(self, split: str, truth: int, answer: int) -> np.ndarray:
        """The places of the images of a class that were answered as another."""
        images, predictions = self.run.images(split), self._require_predictions(split)
        return np.flatnonzero((images.targets == truth) & (predictions.predicted == answer))

    def predictions(self, split: str) -> SplitAnswers | None:
        """The kept answers on a set; None where the network, as it is now, was not asked."""
        folder, file = self.run.folder, self.run.folder.predictions / f"{split}.npz"
        if not self.run.loaded_model().task.single_class or not file.exists():
            return None
        when = file.stat().st_mtime
        if when < (folder.model / WEIGHTS_FILE).stat().st_mtime:  # those of an older network
            return None
        if self._predictions.get(split, (0.0, None))[0] != when:
            self._predictions[split] = when, self._read(split)
        return self._predictions[split][1]

    def _read(self, split: str) -> SplitAnswers:
        kept: Any = load_predictions(self.run.folder, split)
        shares = kept.task.class_probabilities(kept.task.class_scores(kept.meter.output)).numpy()
        index = {name: i for i, name in enumerate(kept.names)}
        rows = np.array([index.get(name, -1) for name in self.run.images(split).names], np.int64)
        answer = np.where(rows >= 0, kept.task.predicted_class(shares)[rows], -1)
        return SplitAnswers(answer, np.where(rows >= 0, shares.max(1)[rows], 0.0))

    def _require_predictions(self, split: str) -> SplitAnswers:
        found = self.predictions(split)
        if found is None:
            task = self.run.loaded_model().task
            if not task.single_class:
                raise NotAvailableError(f"confusion: the run's task is {task.name}, which has no one class per image")
            raise NotAvailableError(
                f"confusion: the {split} split has no predictions yet; run the job predictions for {split}"
            )
        return found


def checked_split(split: str) -> str:
    """A set that may be looked at.

    Raises:
        UnknownError: another one; the test set is for judging only.
    """
    if split not in EXPLORED_SPLITS:
        raise NotFoundError(f"split: no {split[:40]} to look at; choose train or validation")
    return split

"""The run's images for looking at: lists, the network's answers on them, cells of the confusion matrix, pictures."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from convscope.analysis.target import Images
from convscope.bundle.bundle import WEIGHTS
from convscope.explorer.backend.errors import NotYetError, UnknownError
from convscope.explorer.backend.label_corrections import Marks
from convscope.explorer.backend.live_run import SPLITS, Exploration
from convscope.runs.confusion_log import confusion_of, epochs_kept
from convscope.runs.predictions import answered

ID = re.compile(r"(train|validation)-(\d{1,9})")
ORDERS = ("name", "surest", "unsure")


@dataclass(frozen=True, eq=False)
class Answered:
    """What the network says of a set: (N,) answers, -1 where it was not asked, and how sure it was."""

    answer: np.ndarray
    confidence: np.ndarray


class Sets:
    """A run's train and validation images."""

    def __init__(self, seen: Exploration, marks: Marks) -> None:
        self.seen, self.marks = seen, marks
        self._answers: dict[str, tuple[float, Answered]] = {}

    def place(self, image: str) -> tuple[str, int]:
        """An image id as its set and place.

        Raises:
            UnknownError: there is none.
        """
        found = ID.fullmatch(image)
        if found:
            split, place = found[1], int(found[2])
            if place < len(self.seen.images(split)):
                return split, place
        raise UnknownError(f"image {image[:60]}: is not in the run's train or validation set; choose another")

    def one(self, image: str) -> Images:
        """One image by its id."""
        split, place = self.place(image)
        return self.seen.images(split).take([place])

    def record(self, split: str, place: int) -> dict[str, Any]:
        """An image as the page gets it."""
        images, answers = self.seen.images(split), self.answers(split)
        truth, answer = int(images.targets[place]), int(answers.answer[place]) if answers else -1
        name = images.names[place]
        return {
            "id": f"{split}-{place}", "name": name, "split": split, "truth": truth if truth >= 0 else None,
            "answer": answer if answer >= 0 else None,
            "confidence": float(answers.confidence[place]) if answers and answer >= 0 else None,
            "mark": self.marks.of(name),
        }  # fmt: skip

    def listed(
        self, split: str, chosen: np.ndarray, order: str, first: int, count: int
    ) -> dict[str, Any]:  # fmt: skip
        """A part of the images at some places, in an order."""
        answers = self.answers(split)
        if order != "name" and answers:
            sure = answers.confidence[chosen]
            chosen = chosen[np.argsort(-sure if order == "surest" else sure, kind="stable")]
        page = chosen[first : first + count].tolist()
        return {"total": len(chosen), "images": [self.record(split, place) for place in page]}

    def found(self, split: str, of_class: int | None, mistakes: bool, text: str) -> np.ndarray:
        """The places of images of a class, of mistakes, or whose name contains a text.

        Raises:
            NotYetError: mistakes of a set that the network was not asked about.
        """
        images = self.seen.images(split)
        keep = np.ones(len(images), bool)
        if of_class is not None:
            keep &= images.targets == of_class
        if mistakes:
            answers = self._needed(split)
            keep &= (answers.answer >= 0) & (answers.answer != images.targets)
        if text:
            keep &= np.array([text.lower() in name.lower() for name in images.names], bool)
        return np.flatnonzero(keep)

    def confusion(self, split: str, epoch: int | None = None) -> dict[str, Any]:
        """Which classes are taken for which: by the network as it is, or as it was after an epoch.

        Raises:
            NotYetError: the network was not asked about that set.
            UnknownError: nothing was kept of that epoch.
        """
        shown = self.seen.shown()
        count, now = len(shown.config.classes), shown.config.epoch
        epochs = epochs_kept(self.seen.folder) if split == "validation" else []
        found = None
        if epoch is not None and epoch not in epochs:
            raise UnknownError(f"epoch: no matrix of epoch {epoch} and the {split} set was kept; ask without epoch")
        if epoch is not None or (now in epochs and self.answers(split) is None):
            found = confusion_of(self.seen.folder, now if epoch is None else epoch, count)
        if found is None:
            images, answers = self.seen.images(split), self._needed(split)
            known = (answers.answer >= 0) & (images.targets >= 0)
            pairs = images.targets[known] * count + answers.answer[known]
            found = np.bincount(pairs, minlength=count * count).reshape(count, count)
        return {
            "split": split, "classes": shown.config.classes, "counts": found.tolist(), "rows": "truth",
            "columns": "answer", "epoch": now if epoch is None else epoch, "epochs": epochs,
        }  # fmt: skip

    def cell(self, split: str, truth: int, answer: int) -> np.ndarray:
        """The places of the images of a class that were answered as another."""
        images, answers = self.seen.images(split), self._needed(split)
        return np.flatnonzero((images.targets == truth) & (answers.answer == answer))

    def answers(self, split: str) -> Answered | None:
        """The kept answers on a set; None where the network, as it is now, was not asked."""
        folder, file = self.seen.folder, self.seen.folder.answers / f"{split}.npz"
        if self.seen.shown().config.task != "classify" or not file.exists():
            return None
        when = file.stat().st_mtime
        if when < (folder.model / WEIGHTS).stat().st_mtime:  # those of an older network
            return None
        if self._answers.get(split, (0.0, None))[0] != when:
            self._answers[split] = when, self._read(split)
        return self._answers[split][1]

    def _read(self, split: str) -> Answered:
        kept: Any = answered(self.seen.folder, split)
        shares = kept.task.decode(kept.meter.output).numpy()
        place = {name: i for i, name in enumerate(kept.names)}
        rows = np.array([place.get(name, -1) for name in self.seen.images(split).names], np.int64)
        answer = np.where(rows >= 0, shares.argmax(1)[rows], -1)
        return Answered(answer, np.where(rows >= 0, shares.max(1)[rows], 0.0))

    def _needed(self, split: str) -> Answered:
        found = self.answers(split)
        if found is None:
            task = self.seen.shown().config.task
            if task != "classify":
                raise NotYetError(f"confusion: the run's task is {task}, which has no one class per image")
            raise NotYetError(
                f"confusion: the network was not asked about the {split} set yet; run answers for {split}"
            )
        return found


def checked_split(split: str) -> str:
    """A set that may be looked at.

    Raises:
        UnknownError: another one; the test set is for judging only.
    """
    if split not in SPLITS:
        raise UnknownError(f"split: no {split[:40]} to look at; choose train or validation")
    return split

"""One class for each file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.predictions.prediction import Answers, Prediction, ViewTransform


@dataclass(frozen=True)
class ClassPrediction(Prediction):
    """The prediction for one file; `probabilities` is in the order of the classes, each in [0, 1]."""

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, label, its probability, and the probabilities of all classes."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        return {
            "file": self.file, "label": self.label, "confidence": self.confidence, "probabilities": probabilities,
        }  # fmt: skip

    def csv_row(self) -> list[Any]:
        """Label, its probability, and the probabilities of all classes."""
        return [self.label, self.confidence, *self.probabilities]

    def display(self, top: int) -> list[str]:
        """The most probable classes with their probabilities."""
        order = sorted(range(len(self.names)), key=lambda k: -self.probabilities[k])[:top]
        return [f"{self.names[k]} {100 * self.probabilities[k]:.1f} %" for k in order]


@dataclass(frozen=True)
class ClassAnswers(Answers):
    """Outputs: `probabilities` (B, K)."""

    @property
    def columns(self) -> list[str]:
        """Label, its probability, and the probabilities of all classes."""
        return ["label", "confidence", *self.classes]

    def headings(self, top: int) -> list[str]:
        """The predicted class, then the ranks of the next ones."""
        return ["prediction", *[f"{rank}." for rank in range(2, min(top, len(self.classes)) + 1)]]

    def from_answers(
        self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]
    ) -> list[ClassPrediction]:
        """The most probable class and all probabilities."""
        rows, found = answers["probabilities"].tolist(), []
        for row, frame in zip(rows, frames, strict=True):
            best = int(np.argmax(row))
            found.append(ClassPrediction(frame.file, self.classes[best], row[best], tuple(row), self.classes))
        return found

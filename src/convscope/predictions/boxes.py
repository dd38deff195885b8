"""A class and a box for each file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from convscope.predictions.prediction import AnswerPlace, Answers, Prediction, ViewTransform


@dataclass(frozen=True)
class BoxPrediction(Prediction):
    """Class and box of one file; `box` is xyxy in the file's pixels."""

    label: str
    confidence: float
    box: tuple[float, float, float, float]
    probabilities: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, label, its probability, the box, and the probabilities of all classes."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        record = {"file": self.file, "label": self.label, "confidence": self.confidence, "box": list(self.box)}
        return record | {"probabilities": probabilities}

    def csv_row(self) -> list[Any]:
        """Label, confidence, box."""
        return [self.label, self.confidence, *self.box]

    def display(self, top: int) -> list[str]:  # noqa: ARG002
        """Label with its probability, and the box."""
        return [f"{self.label} {100 * self.confidence:.1f} %", " ".join(f"{side:.1f}" for side in self.box)]


@dataclass(frozen=True)
class BoxAnswers(Answers):
    """Outputs: `box` (B, 4) xyxy in pixels of the file, `probabilities` (B, K)."""

    answer_places: ClassVar[Mapping[str, AnswerPlace]] = {"box": "corners"}

    @property
    def columns(self) -> list[str]:
        """Label, its probability, the corners of the box."""
        return ["label", "confidence", "x1", "y1", "x2", "y2"]

    def headings(self, top: int) -> list[str]:  # noqa: ARG002
        """Prediction and box."""
        return ["prediction", "box (x1 y1 x2 y2)"]

    def from_answers(self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]) -> list[BoxPrediction]:
        """Classes, and boxes in pixels of the files."""
        found = []
        for row, box, frame in zip(answers["probabilities"], answers["box"], frames, strict=True):
            best, (x1, y1, x2, y2) = int(row.argmax()), box.tolist()
            found.append(
                BoxPrediction(
                    frame.file,
                    self.classes[best],
                    float(row[best]),
                    (x1, y1, x2, y2),
                    tuple(row.tolist()),
                    self.classes,
                )
            )
        return found

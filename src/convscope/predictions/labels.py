"""Several labels for each file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from convscope.predictions.prediction import Answers, Prediction, ViewTransform


@dataclass(frozen=True)
class LabelsPrediction(Prediction):
    """The predicted labels of one file; `probabilities` are in the order of all labels and need not sum to 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, predicted labels, and the probabilities of all labels."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        return {"file": self.file, "labels": list(self.labels), "probabilities": probabilities}

    def csv_row(self) -> list[Any]:
        """Labels separated by spaces, then the probabilities."""
        return [" ".join(self.labels), *self.probabilities]

    def display(self, top: int) -> list[str]:
        """The predicted labels, most probable first."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        best = sorted(self.labels, key=lambda name: -probabilities[name])[:top]
        return [", ".join(f"{name} {100 * probabilities[name]:.1f} %" for name in best) or "none"]


@dataclass(frozen=True)
class LabelAnswers(Answers):
    """Outputs: `labels` and `probabilities` (B, K)."""

    @property
    def columns(self) -> list[str]:
        """Labels, then one column per label."""
        return ["labels", *self.classes]

    def from_answers(
        self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]
    ) -> list[LabelsPrediction]:
        """Labels whose probability reaches their threshold."""
        predicted, probabilities = answers["labels"], answers["probabilities"]
        return [
            LabelsPrediction(
                frame.file,
                tuple(name for name, there in zip(self.classes, predicted[i], strict=True) if there),
                tuple(probabilities[i].tolist()),
                self.classes,
            )
            for i, frame in enumerate(frames)
        ]

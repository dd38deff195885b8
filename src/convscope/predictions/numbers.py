"""Numbers for each file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from convscope.predictions.prediction import Answers, Prediction, ViewTransform


@dataclass(frozen=True)
class NumbersPrediction(Prediction):
    """The predicted numbers of one file, in the units of the data."""

    values: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File and numbers by name."""
        return {"file": self.file, "values": dict(zip(self.names, self.values, strict=True))}

    def csv_row(self) -> list[Any]:
        """One cell per number."""
        return list(self.values)

    def display(self, top: int) -> list[str]:
        """The numbers with their names."""
        return [
            ", ".join(f"{name} {value:.4g}" for name, value in list(zip(self.names, self.values, strict=True))[:top])
        ]


@dataclass(frozen=True)
class NumberAnswers(Answers):
    """Outputs: `values` (B, K)."""

    @property
    def columns(self) -> list[str]:
        """One column per number."""
        return list(self.classes)

    def from_answers(
        self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]
    ) -> list[NumbersPrediction]:
        """Predictions in the units of the data."""
        rows = answers["values"].tolist()
        return [
            NumbersPrediction(frame.file, tuple(row), self.classes) for frame, row in zip(frames, rows, strict=True)
        ]

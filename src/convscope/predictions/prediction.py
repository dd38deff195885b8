"""What a network answers, as records: the same ones from PyTorch and from exported files."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray


@dataclass(frozen=True)
class ViewTransform:
    """Position of the network's input in the image file, to map predictions to pixels of the file.

    Point (x, y) of the input is (left + x * across / W, top + y * down / H) in the file.
    """

    file: str
    size: tuple[int, ...]
    """Height and width of the file's image, upright."""
    left: float
    top: float
    across: float
    down: float


AnswerPlace = Literal["corners", "pixels"]
"""Positions in an answer: `corners` are (B, 4) xyxy in pixels, `pixels` one class for each pixel."""


@dataclass(frozen=True)
class Prediction(ABC):
    """The prediction for one file; each task adds its fields."""

    file: str
    saved: str = field(default="", kw_only=True)
    """The file that its image was written to; "" if there is none."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The prediction as a JSON object."""

    @abstractmethod
    def csv_row(self) -> list[Any]:
        """The cells of a CSV row, for the task's `columns`."""

    @abstractmethod
    def display(self, top: int) -> list[str]:
        """The prediction as text, in at most `top` cells."""

    def image_png(self) -> bytes | None:
        """The part of the prediction that is an image, as a PNG file; None if there is none."""
        return None

    def save_image(self, stem: Path) -> Path | None:
        """Write `image_png` to `stem` with an ending and return its path; None if there is none."""
        content = self.image_png()
        if content is None:
            return None
        path = stem.with_name(f"{stem.name}.png")
        path.write_bytes(content)
        return path


@dataclass(frozen=True)
class Answers(ABC):
    """What a network's named outputs mean; see `ANSWERS`."""

    classes: tuple[str, ...]
    """Names of the classes, labels or numbers, in the order of the network's outputs."""

    answer_places: ClassVar[Mapping[str, AnswerPlace]] = {}
    """Which of the `answers` are positions in the image."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Headings of `Prediction.csv_row`, after "file"."""

    def headings(self, top: int) -> list[str]:  # noqa: ARG002
        """Headings of `Prediction.display`."""
        return ["prediction"]

    @abstractmethod
    def from_answers(self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]) -> list[Any]:
        """Predictions for a batch of files, from the named outputs of an exported network.

        Args:
            answers: as from `Task.answers`, with positions in pixels of the image file; (B, H, W) classes of pixels.
            frames: one per file.
        """

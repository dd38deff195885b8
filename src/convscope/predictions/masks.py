"""A class for each pixel of a file."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.predictions.prediction import AnswerPlace, Answers, Prediction, ViewTransform

COLORS = np.array(
    [
        *[(0, 0, 0), (230, 85, 75), (70, 130, 230), (60, 175, 95), (245, 190, 50), (160, 95, 215)],
        *[(30, 190, 200), (240, 125, 35), (235, 120, 180), (140, 160, 60), (120, 120, 125)],
    ],
    np.uint8,
)
"""Colours of the classes of a mask; the others repeat after the last colour."""


@dataclass(frozen=True, eq=False)
class MaskPrediction(Prediction):
    """The predicted mask (H, W) of one file, at the size of the file, and the proportion of pixels of each class."""

    mask: NDArray[np.uint8]
    shares: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, size, the proportion of pixels of each class, and the file of the mask if it was written."""
        height, width = self.mask.shape
        shares = dict(zip(self.names, self.shares, strict=True))
        return {"file": self.file, "size": [height, width], "shares": shares} | (
            {"mask": self.saved} if self.saved else {}
        )

    def csv_row(self) -> list[Any]:
        """The proportion of pixels of each class."""
        return list(self.shares)

    def display(self, top: int) -> list[str]:
        """The classes with most pixels."""
        order = sorted(range(len(self.names)), key=lambda k: -self.shares[k])[:top]
        return [", ".join(f"{self.names[k]} {100 * self.shares[k]:.1f} %" for k in order if self.shares[k])]

    def image_png(self) -> bytes:
        """The mask as a PNG file of class indices with a palette of their colours."""
        image = Image.fromarray(self.mask).convert("P")
        image.putpalette(colors_of(np.arange(256)).ravel().tolist())
        content = io.BytesIO()
        image.save(content, "PNG")
        return content.getvalue()


@dataclass(frozen=True)
class MaskAnswers(Answers):
    """Outputs: `mask` (B, H, W), at the size of the file."""

    answer_places: ClassVar[Mapping[str, AnswerPlace]] = {"mask": "pixels"}

    @property
    def columns(self) -> list[str]:
        """The proportion of pixels of each class."""
        return list(self.classes)

    def from_answers(
        self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]
    ) -> list[MaskPrediction]:
        """Masks at the sizes of the files."""
        found = []
        for mask, frame in zip(answers["mask"], frames, strict=True):
            shares = np.bincount(mask.ravel(), minlength=len(self.classes)) / mask.size
            found.append(MaskPrediction(frame.file, mask, tuple(shares.tolist()), self.classes))
        return found


def colors_of(classes: NDArray[np.integer]) -> NDArray[np.uint8]:
    """(..., 3) colours of classes."""
    rest = len(COLORS) - 1
    index = np.where(classes == 0, 0, (classes.astype(np.int64) - 1) % rest + 1)
    colors: NDArray[np.uint8] = COLORS[index]
    return colors

"""The prediction for an image beside its target, as plain data that a page or a report draws; errors per image."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convscope.predictions.masks import colors_of
from convscope.tasks.drawing import PREDICTION_COLOR, TARGET_COLOR, Pixels, with_boxes, with_mask

BOX_SIDES = ("left side", "top side", "right side", "bottom side")
UNLABELLED = 255  # in masks of targets
ERROR_COLOR = (235, 30, 90)
TagState = Literal["correct", "extra", "missed", "unknown", "predicted"]
"""Of a label: predicted and true; predicted only; true only; predicted, target unknown; predicted, no targets."""


@dataclass(frozen=True)
class ShownBox:
    """A box with its label; `corners` are xyxy in pixels of the network's input."""

    label: str
    corners: tuple[float, ...]
    is_target: bool = False


@dataclass(frozen=True)
class ShownTag:
    """A label that is predicted or true."""

    name: str
    state: TagState
    probability: float


@dataclass(frozen=True)
class ShownNumber:
    """A number in the units of the data; `target` is None where it is not known."""

    name: str
    predicted: float
    target: float | None = None


@dataclass(frozen=True, eq=False)
class ShownAnswer:
    """What a task predicts for one image beside its target; empty where a class says it all.

    Attributes:
        boxes: predicted and true boxes.
        tags: labels that are predicted or true.
        numbers: predicted and true numbers.
        mask: (H, W) predicted class of each pixel of the network's input.
        target_mask: (H, W) true classes, 255 for unlabelled pixels.
    """

    boxes: tuple[ShownBox, ...] = ()
    tags: tuple[ShownTag, ...] = ()
    numbers: tuple[ShownNumber, ...] = ()
    mask: NDArray[np.uint8] | None = None
    target_mask: NDArray[np.uint8] | None = None

    def to_json(self) -> dict[str, Any]:
        """Boxes, tags, numbers, and which masks there are with the classes in them."""
        masks = {"predicted": self.mask, "target": self.target_mask}
        return {
            "boxes": [asdict(one) for one in self.boxes],
            "tags": [asdict(one) for one in self.tags],
            "numbers": [asdict(one) for one in self.numbers],
            "masks": {name: np.unique(mask).tolist() for name, mask in masks.items() if mask is not None},
        }

    def draw(self, pixels: Pixels) -> Pixels:
        """The image (H, W, 3) with boxes or masks drawn on it; small images are enlarged."""
        if self.mask is not None:
            return with_mask(pixels, self.mask, self.target_mask)
        if not self.boxes:
            return pixels
        ordered = sorted(self.boxes, key=lambda box: not box.is_target)
        return with_boxes(
            pixels, [(box.corners, TARGET_COLOR if box.is_target else PREDICTION_COLOR) for box in ordered]
        )

    def overlay(self, which: str) -> Pixels | None:
        """(H, W, 4) colours of the masks, transparent for class 0: "predicted", "target", or "errors"; None if none."""
        if self.mask is None or (which != "predicted" and self.target_mask is None):
            return None
        if which == "errors":
            assert self.target_mask is not None  # checked above
            wrong = (self.mask != self.target_mask) & (self.target_mask != UNLABELLED)
            return _with_opacity(np.broadcast_to(np.array(ERROR_COLOR, np.uint8), (*wrong.shape, 3)), wrong)
        mask = self.mask if which == "predicted" else self.target_mask
        assert mask is not None  # checked above
        return _with_opacity(colors_of(mask), (mask != 0) & (mask != UNLABELLED))


@dataclass(frozen=True, eq=False)
class ImageErrors:
    """How wrong the prediction for each image of a split is.

    Attributes:
        values: (N,) 0 or more; larger is worse.
        wrong: (N,) whether the prediction counts as a mistake.
        texts: the error of each image in words.
    """

    values: NDArray[np.floating]
    wrong: NDArray[np.bool_]
    texts: tuple[str, ...]


def tag_state(predicted: bool, target: float | None) -> TagState | None:
    """How a label is shown: its target is 1, 0, nan (unknown) or None (no targets); None if it is not shown."""
    if target is None:
        return "predicted" if predicted else None
    if math.isnan(target):
        return "unknown" if predicted else None
    if target:
        return "correct" if predicted else "missed"
    return "extra" if predicted else None


def _with_opacity(colors: Pixels, opaque: NDArray[np.bool_]) -> Pixels:
    return np.concatenate([colors, (255 * opaque.astype(np.uint8))[..., None]], 2)

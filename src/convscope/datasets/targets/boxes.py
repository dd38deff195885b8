"""Boxes, one object per image: (N, 5) float32, class and xyxy in pixels of the upright file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.inputs.fitting import CROP, Fit, visible_window
from convscope.datasets.targets.kind import FileTarget, Motion, Size, TargetData, TargetKind, restore_classes

MIN_VISIBLE = 0.25  # share of a box that must be inside the visible part of its image
NOTHING = 255  # in masks of objects: no object


@dataclass(frozen=True)
class BoxTargets(TargetKind):
    """Boxes; see the module."""

    def strata(self, targets: NDArray[Any], classes: int) -> tuple[NDArray[np.int64], int]:
        """Stratify by class."""
        return targets[:, 0].astype(np.int64), classes

    def counts(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
        """(K,) images whose object is of each class."""
        return np.bincount(targets[:, 0].astype(np.int64), minlength=classes)

    def figures(self, data: TargetData, decoded: NDArray[Any] | None = None) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """The number of objects of each class, of which training uses one per image."""
        if data.objects is None:
            return {}
        found = Counter(label for objects in data.objects for label, _ in objects)
        return {"objects": np.array([found[name] for name in data.classes])}

    def tags(self, target: NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        """The class of the object."""
        return (names[int(target[0])],)

    def file_error(self, file: FileTarget, size: Size) -> str:
        """Why the box is invalid; see `box_error`."""
        return box_error(file.value, (size[0], size[1]))

    def from_files(self, files: Sequence[tuple[FileTarget, Size]], index: Mapping[str, int]) -> NDArray[Any]:
        """(N, 5) from the labels and boxes of the files, clipped to the images."""
        return np.array(
            [(index[file.label], *clip_box(file.value, (size[0], size[1]))) for file, size in files], np.float32
        )

    def restore(self, data: TargetData, then: tuple[str, ...]) -> NDArray[Any]:
        """(N, 5) with indices into the classes of the run."""
        kinds = restore_classes(data.source, data.classes, then, data.targets[:, 0].astype(np.int64))
        return np.concatenate([kinds[:, None], data.targets[:, 1:]], 1).astype(np.float32)

    def in_view(self, data: TargetData, size: Size) -> NDArray[Any]:
        """See `boxes_in_view`."""
        return boxes_in_view(data.targets, data.sizes, (size[0], size[1]), data.fit)

    def warp(self, y: Tensor, motion: Motion) -> Tensor:
        """The box around the transformed corners."""
        return motion.warp_boxes(y)

    def image_classes(self, targets: NDArray[Any], classes: int) -> NDArray[np.int64]:  # noqa: ARG002
        """The classes of the objects."""
        return targets[:, 0].astype(np.int64)

    def object_masks(self, targets: NDArray[Any], rows: NDArray[np.int64], size: Size) -> NDArray[np.uint8]:
        """Filled boxes; empty masks for unknown boxes."""
        masks = np.full((len(targets), *size), NOTHING, np.uint8)
        for row, (kind, *corners) in zip(rows, targets[rows].tolist(), strict=True):
            if not np.isnan(corners).any():
                left, top, right, bottom = (round(corner) for corner in corners)
                masks[row, top : max(bottom, top + 1), left : max(right, left + 1)] = int(kind)
        return masks


def box_error(box: Sequence[float], size: tuple[int, int]) -> str:
    """Why an xyxy box is invalid in an image of `size` (H, W); empty if it is valid."""
    x1, y1, x2, y2 = box
    message = f"its box {x1:g} {y1:g} {x2:g} {y2:g}"
    if not all(np.isfinite(box)):
        return f"{message} contains NaN or infinity"
    if max(box) <= 1 and max(size) > 2:
        return f"{message} is in relative coordinates; multiply by the width and height of the image"
    if x2 < x1 or y2 < y1:
        return f"{message} has x2 < x1 or y2 < y1; the order is x1 y1 x2 y2"
    if x2 == x1 or y2 == y1:
        return f"{message} has no area"
    if x2 <= 0 or y2 <= 0 or x1 >= size[1] or y1 >= size[0]:
        return f"{message} is outside the image of {size[0]} x {size[1]}"
    return ""


def clip_box(box: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """An xyxy box clipped to an image of `size` (H, W)."""
    x1, y1, x2, y2 = box
    return max(x1, 0.0), max(y1, 0.0), min(x2, size[1]), min(y2, size[0])


def boxes_in_view(
    targets: NDArray[Any], sizes: NDArray[np.int64], size: tuple[int, int], how: Fit = CROP
) -> NDArray[np.float32]:
    """Convert boxes (N, 5) of files of sizes (N, 2) to pixels of the network's input; see `visible_window`.

    A box of which less than a quarter is visible becomes nan (unknown).
    """
    windows = np.array([visible_window((int(height), int(width)), size, how) for height, width in sizes])
    scale = np.array([size[1], size[0]]) / (windows[:, 2:] - windows[:, :2])
    corners = targets[:, 1:].reshape(-1, 2, 2).astype(np.float64)
    transformed = (corners - windows[:, None, :2]) * scale[:, None]
    visible = transformed.clip(0, np.array([size[1], size[0]]))
    visible_share = (visible[:, 1] - visible[:, 0]).prod(1) / np.maximum(
        (transformed[:, 1] - transformed[:, 0]).prod(1), 1e-9
    )
    boxes = np.where((visible_share < MIN_VISIBLE)[:, None], np.nan, visible.reshape(-1, 4))
    return np.concatenate([targets[:, :1], boxes], 1).astype(np.float32)


BOXES = BoxTargets("boxes", spatial=True, by_class=True, has_objects=True)

"""Draw the three middle slices of a volume side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 96
"""Pixels of the longer side of a slice."""
GAP = 4
AXES = ("depth", "height", "width")


def slice_of(values: NDArray[Any], axis: int, number: int) -> NDArray[Any]:
    """(..., h, w) a slice of (..., D, H, W) across an axis, 0 to 2; the first slices of a depth axis are at the bottom.

    >>> slice_of(np.arange(8).reshape(2, 2, 2), 1, 0).tolist()
    [[4, 5], [0, 1]]
    """
    taken = np.take(values, number, values.ndim - 3 + axis)
    return taken if axis == 0 else np.flip(taken, -2)


def middle_slices(values: NDArray[Any]) -> list[NDArray[Any]]:
    """The middle slice of (..., D, H, W) across depth, height and width."""
    return [slice_of(values, axis, values.shape[values.ndim - 3 + axis] // 2) for axis in range(3)]


def draw_slices(values: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 3) the middle slices of the first channel of (C, D, H, W) bytes in grey, on white."""
    pictures = [np.repeat(one[..., None], 3, 2) for one in middle_slices(np.asarray(values[0], np.uint8))]
    return side_by_side([_sized(one) for one in pictures])


def side_by_side(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(H, W, 3) pictures in a row, at the top."""
    height = max(one.shape[0] for one in pictures)
    parts = [np.pad(one, ((0, height - one.shape[0]), (0, GAP), (0, 0)), constant_values=255) for one in pictures]
    return np.ascontiguousarray(np.concatenate(parts, 1)[:, :-GAP])


def _sized(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = SIDE / max(picture.shape[:2])
    height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize((width, height), how))

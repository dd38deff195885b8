"""Orientation, voxel spacing and size of volumes (C, D, H, W)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from convscope.errors import DataError
from convscope.extras import extra

Spacing = tuple[float, float, float]
Sides = tuple[int, int, int]

UPRIGHT = ("S", "P", "L")
"""Where depth, height and width of an upright volume lead: to the head, to the back, to the left of the patient."""
_SINGULAR = 1e-4  # volume that three unit vectors span, below which they lie in one plane


@dataclass(frozen=True, eq=False)
class Placement:
    """How the axes of a volume in a file lie in the patient: which axes are swapped and flipped to make it upright."""

    turns: NDArray[Any]
    """(3, 2) the upright axis of each axis in the file, and 1 or -1 where it is flipped, as nibabel has them."""
    spacing: Spacing
    """Millimetres from voxel to voxel, of the axes in the file."""

    def upright_sides(self, sides: Sequence[int]) -> Sides:
        """The sides (D, H, W) of the upright volume."""
        first, second, third = (int(sides[axis]) for axis in self._order())
        return first, second, third

    @property
    def upright_spacing(self) -> Spacing:
        """The spacing of the upright volume."""
        first, second, third = (self.spacing[axis] for axis in self._order())
        return first, second, third

    def upright(self, values: NDArray[Any]) -> NDArray[Any]:
        """(C, D, H, W) upright, of the (C, ...) values of a file."""
        channels_last = _orientations().apply_orientation(np.moveaxis(values, 0, -1), self.turns)
        turned: NDArray[Any] = np.moveaxis(channels_last, -1, 0)
        return turned

    def _order(self) -> list[int]:
        """The axis in the file of each upright axis."""
        return [int(axis) for axis in np.argsort(self.turns[:, 0])]


def placement(directions: NDArray[np.float64]) -> Placement:
    """The placement of a volume from the steps of its axes in the patient.

    Args:
        directions: (3, 3), column k is the step of axis k in millimetres to the right, front and head.

    Raises:
        DataError: the steps lie in one plane, or are not finite; the message has no place.
    """
    orientations = _orientations()
    steps = np.asarray(directions, np.float64)
    lengths = np.linalg.norm(steps, axis=0)
    if not np.isfinite(steps).all() or not lengths.all() or abs(np.linalg.det(steps / lengths)) < _SINGULAR:
        raise DataError("its affine is singular: the steps between voxels lie in one plane; export it again")
    affine = np.eye(4)
    affine[:3, :3] = steps
    turns = orientations.ornt_transform(orientations.io_orientation(affine), orientations.axcodes2ornt(UPRIGHT))
    first, second, third = lengths.tolist()
    return Placement(turns, (first, second, third))


def resized(values: NDArray[Any], sides: Sequence[int]) -> NDArray[np.float32]:
    """(C, D, H, W) float32 at other sides: linear, and averaged over the area that a voxel covers where they shrink.

    >>> resized(np.arange(8.0).reshape(1, 1, 1, 8), (1, 1, 4)).ravel().round(2).tolist()
    [0.71, 2.5, 4.5, 6.29]
    """
    x = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    channels, depth, height, width = x.shape
    if (height, width) != (sides[1], sides[2]):
        flat = x.reshape(channels * depth, 1, height, width)
        x = _planes(flat, (sides[1], sides[2])).reshape(channels, depth, sides[1], sides[2])
    if depth != sides[0]:
        flat = x.reshape(channels, 1, depth, sides[1] * sides[2])
        x = _planes(flat, (sides[0], sides[1] * sides[2])).reshape(channels, *sides)
    return x.numpy()


def resampled_sides(sides: Sequence[int], spacing: Sequence[float], wanted: Sequence[float]) -> Sides:
    """The sides of a volume whose spacing becomes `wanted`, at least 1.

    >>> resampled_sides((20, 512, 512), (5, 0.5, 0.5), (2.5, 1, 1))
    (40, 256, 256)
    """
    first, second, third = (
        max(1, round(side * step / new)) for side, step, new in zip(sides, spacing, wanted, strict=True)
    )
    return first, second, third


def centred(values: NDArray[Any], sides: Sequence[int]) -> NDArray[Any]:
    """(C, *sides) the middle of longer axes; zeros on both sides of shorter ones.

    >>> centred(np.ones((1, 1, 2, 4), int), (1, 4, 2))[0, 0, :, 0].tolist()
    [0, 1, 1, 0]
    """
    cut, pad = [slice(None)], [(0, 0)]
    for have, wanted in zip(values.shape[1:], sides, strict=True):
        start = max(0, (have - wanted) // 2)
        before = max(0, (wanted - have) // 2)
        cut.append(slice(start, start + min(have, wanted)))
        pad.append((before, max(0, wanted - have - before)))
    return np.pad(values[tuple(cut)], pad)


def _orientations() -> Any:
    with extra("volume", "volumes in a patient"):
        from nibabel import orientations
    return orientations


def _planes(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return functional.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)

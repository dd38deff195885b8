"""Drawn volumes of ten classes: handwritten digits as solids, turned and moved in space."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 12
_HALF_THICKNESS = (1.0, 2.0)  # voxels
_TURN = 20.0  # degrees about each axis, at most
_SHIFT = 1.0  # voxels along each axis, at most
_NOISE = 0.05  # standard deviation, of a range of 1


def draw_digits(pictures: NDArray[Any], seed: int) -> NDArray[np.uint8]:
    """(N, 1, 12, 12, 12) a solid of each picture: its grey levels through a slab, turned, moved, and with noise.

    Args:
        pictures: (N, 8, 8) grey levels in [0, 1].
        seed: of the random turns, thicknesses, shifts and noise.
    """
    random = np.random.default_rng(seed)
    voxels = np.stack(np.meshgrid(*[np.arange(SIDE) - (SIDE - 1) / 2] * 3, indexing="ij")).reshape(3, -1)
    solids = np.stack([_solid(picture, voxels, random) for picture in pictures])
    noisy = solids + _NOISE * random.standard_normal(solids.shape)
    drawn: NDArray[np.uint8] = np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)[:, None]
    return drawn


def _solid(picture: NDArray[Any], voxels: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """(12, 12, 12) the picture's grey level at each voxel's place in the turned slab; edges are one voxel wide."""
    from scipy.ndimage import map_coordinates
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("xyz", random.uniform(-_TURN, _TURN, 3), degrees=True).as_matrix()
    place = turn @ (voxels - random.uniform(-_SHIFT, _SHIFT, (3, 1)))
    half = random.uniform(*_HALF_THICKNESS)
    inside = (half + 0.5 - np.abs(place[0])).clip(0, 1)
    rows, columns = (place[1 + axis] + (picture.shape[axis] - 1) / 2 for axis in (0, 1))
    level = map_coordinates(picture, [rows, columns], order=1, mode="constant")
    solid: NDArray[np.float64] = (level * inside).reshape(SIDE, SIDE, SIDE)
    return solid

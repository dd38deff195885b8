"""Augmentation of batches of volumes: flips, turns, affine and elastic motion, brightness, contrast, noise.

All motion is applied in one resampling; shifts alone are by whole voxels, which keeps the values. Beyond the edge, the
values of the edge are repeated. Elastic deformation is a random displacement on a coarse grid, as in Simard et al.,
"Best practices for convolutional neural networks applied to visual document analysis", ICDAR 2003.
"""

import math
from dataclasses import dataclass

import torch
from pydantic import BaseModel, Field
from torch import Tensor
from torch.nn import functional

from convscope.datasets.augment.of_inputs import InputAugment
from convscope.datasets.augment.pipeline import to_unit_floats

_KNOTS = 4  # displacements on each side of the grid of elastic deformation


class VolumePolicy(BaseModel, frozen=True, extra="forbid"):
    """The strength of each augmentation of volumes; 0, and 1 for `scale`, is none."""

    shift: float = Field(0.0, ge=0, le=1)
    """Largest shift along each axis, as a fraction of the side."""
    scale: float = Field(1.0, ge=1)
    """Factor: between 1 / scale and scale."""
    rotate: float = Field(0.0, ge=0, le=180)
    """Degrees about each axis."""
    flip: bool = False
    """Whether each axis is flipped in half of the volumes: where left and right, or up and down, do not matter."""
    turn: bool = False
    """Whether volumes are turned by multiples of 90 degrees in the plane of their slices; of 180 if it is no square."""
    elastic: float = Field(0.0, ge=0, le=0.2)
    """Maximum offset of elastic deformation, as a fraction of the side."""
    brightness: float = Field(0.0, ge=0, lt=1)
    """Largest change, as a fraction of the range."""
    contrast: float = Field(0.0, ge=0, lt=1)
    """Factor around the mean: between 1 - contrast and 1 + contrast."""
    noise: float = Field(0.0, ge=0, le=1)
    """Standard deviation, drawn from 0 to this for each volume, as a fraction of the range."""

    @property
    def moves(self) -> bool:
        """Whether voxels move, other than by flips and turns."""
        return bool(self.shift) or self.interpolates

    @property
    def interpolates(self) -> bool:
        """Whether the motion needs values between voxels."""
        return bool(self.rotate or self.elastic or self.scale > 1)


VOLUME_POLICIES: dict[str, VolumePolicy] = {
    "none": VolumePolicy(),
    "light": VolumePolicy(shift=1 / 8),
    "standard": VolumePolicy(shift=1 / 10, scale=1.1, rotate=10, brightness=0.1, contrast=0.2),
    "strong": VolumePolicy(
        shift=1 / 8, scale=1.2, rotate=20, elastic=0.05, brightness=0.2, contrast=0.3, noise=0.05
    ),
}  # fmt: skip


@dataclass(frozen=True)
class VolumeAugment(InputAugment):
    """Augments batches of volumes by a policy; the same generator state gives the same result on every device."""

    chosen: VolumePolicy

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment volumes (B, C, D, H, W), float32 in [0, 1] or uint8."""
        policy = self.chosen
        x = to_unit_floats(x)
        if policy.flip:
            x = _flipped(x, torch.rand(len(x), 3, generator=generator) < 0.5)
        if policy.turn:
            x = _turned(x, torch.randint(4, (len(x),), generator=generator))
        if policy.moves:
            grid = _motion(policy, x.shape, generator).to(x.device)
            x = functional.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
        return self._values_changed(x, generator)

    def _values_changed(self, x: Tensor, generator: torch.Generator) -> Tensor:
        policy, count = self.chosen, (len(x), 1, 1, 1, 1)
        if policy.contrast:
            mean = x.mean((1, 2, 3, 4), keepdim=True)
            x = mean + (x - mean) * (1 + policy.contrast * _signed(count, generator)).to(x.device)
        if policy.brightness:
            x = x + (policy.brightness * _signed(count, generator)).to(x.device)
        if policy.noise:
            deviation = policy.noise * torch.rand(count, generator=generator)
            x = x + (deviation * torch.randn(x.shape, generator=generator)).to(x.device)
        return x.clamp(0, 1)


def _signed(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform in [-1, 1]."""
    return 2 * torch.rand(shape, generator=generator) - 1


def _flipped(x: Tensor, axes: Tensor) -> Tensor:
    """(B, C, D, H, W), each volume flipped along the axes that (B, 3) says."""
    for axis in range(3):
        rows = axes[:, axis].to(x.device).view(-1, 1, 1, 1, 1)
        x = torch.where(rows, x.flip(2 + axis), x)
    return x


def _turned(x: Tensor, quarters: Tensor) -> Tensor:
    """(B, C, D, H, W), each volume turned by (B,) quarters of a circle in the plane of its slices."""
    square = x.shape[-1] == x.shape[-2]
    counts = quarters.tolist() if square else (2 * (quarters % 2)).tolist()
    return torch.stack([torch.rot90(one, count, (-2, -1)) for one, count in zip(x, counts, strict=True)])


def _motion(policy: VolumePolicy, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """(B, D, H, W, 3) where each voxel of the result comes from, as `grid_sample` takes it."""
    count, sides = shape[0], shape[2:]
    turn = _rotation(math.radians(policy.rotate) * _signed((count, 3), generator))
    factor = policy.scale ** _signed((count, 1, 1), generator)
    lengths = torch.tensor([sides[2], sides[1], sides[0]], dtype=torch.float32)
    voxels = policy.shift * lengths[:, None] * _signed((count, 3, 1), generator)
    # grid_sample's coordinates run from -1 to 1 along each side, so angles are kept by the ratio of the sides
    shift = 2 * (voxels if policy.interpolates else voxels.round()) / lengths[:, None]
    affine = turn * (lengths[None, None, :] / lengths[None, :, None]) / factor
    grid = functional.affine_grid(torch.cat([affine, shift], 2), list(shape), align_corners=False)
    if policy.elastic:
        knots = 2 * policy.elastic * _signed((count, 3, _KNOTS, _KNOTS, _KNOTS), generator)
        offset = functional.interpolate(knots, tuple(sides), mode="trilinear", align_corners=True)
        grid = grid + offset.permute(0, 2, 3, 4, 1)
    return grid


def _rotation(angles: Tensor) -> Tensor:
    """(B, 3, 3) rotations about the axes width, height and depth, one after the other, by (B, 3) radians."""
    result = torch.eye(3).expand(len(angles), 3, 3)
    for axis in range(3):
        first, second = [one for one in range(3) if one != axis]
        turn = torch.eye(3).repeat(len(angles), 1, 1)
        cosine, sine = angles[:, axis].cos(), angles[:, axis].sin()
        turn[:, first, first] = turn[:, second, second] = cosine
        turn[:, first, second], turn[:, second, first] = -sine, sine
        result = result @ turn
    return result

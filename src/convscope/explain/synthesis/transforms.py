"""Small random moves of a picture while it is painted, so that no painting rests on single pixels.

Jitter, scale and rotation become one matrix for each picture, so that it is resampled once, not three times.
"""

import math

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor


class Transforms(BaseModel, frozen=True, extra="forbid"):
    """How far a picture moves at each step; all zero leaves it alone.

    Attributes:
        jitter: pixels at most, either way.
        scale: share at most, either way.
        rotate: degrees at most, either way.
    """

    jitter: float = Field(8, ge=0)
    scale: float = Field(0.1, ge=0, lt=1)
    rotate: float = Field(10, ge=0, le=180)

    @property
    def is_identity(self) -> bool:
        """Whether nothing moves."""
        return self.jitter == self.scale == self.rotate == 0


def transform_images(pixels: Tensor, transforms: Transforms, generators: list[torch.Generator]) -> Tensor:
    """Return each picture jittered, scaled and rotated, mirrored at the border.

    Olah et al. 2017, "Feature Visualization", transformation robustness.

    Args:
        pixels: (B, C, H, W).
        transforms: how far at most.
        generators: one for each picture: what happens to one does not depend on its neighbours.
    """
    if transforms.is_identity:
        return pixels
    draws = torch.stack([torch.rand(4, generator=generator) for generator in generators]) * 2 - 1
    matrices = affine(draws, transforms, (pixels.shape[2], pixels.shape[3])).to(pixels)
    places = F.affine_grid(matrices, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, places, mode="bilinear", padding_mode="reflection", align_corners=False)


def affine(draws: Tensor, transforms: Transforms, size: tuple[int, int]) -> Tensor:
    """Turn draws (B, 4) in [-1, 1] into matrices (B, 2, 3) for `affine_grid`; jitter is in whole pixels."""
    height, width = size
    down, across = (draws[:, :2] * transforms.jitter).round().unbind(1)
    zoom, angle = 1 + draws[:, 2] * transforms.scale, draws[:, 3] * math.radians(transforms.rotate)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    # affine_grid works in units of half the height and half the width, which are not the same length
    rows = [cos, -sin * height / width, 2 * across / width, sin * width / height, cos, 2 * down / height]
    return torch.stack(rows, 1).reshape(-1, 2, 3)

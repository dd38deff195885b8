"""Random transforms applied at each optimisation step, so that the result does not depend on single pixels.

Jitter, scale and rotation are combined into one matrix per image, so that it is resampled once, not three times.
"""

import math

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor


class Transforms(BaseModel, frozen=True, extra="forbid"):
    """Range of the random transform of each step; all zero is the identity.

    Attributes:
        jitter: maximum shift in pixels, in either direction.
        scale: maximum relative change of size, in either direction.
        rotate: maximum angle in degrees, in either direction.
    """

    jitter: float = Field(8, ge=0)
    scale: float = Field(0.1, ge=0, lt=1)
    rotate: float = Field(10, ge=0, le=180)

    @property
    def is_identity(self) -> bool:
        """Whether the transform is the identity."""
        return self.jitter == self.scale == self.rotate == 0


def transform_images(pixels: Tensor, transforms: Transforms, generators: list[torch.Generator]) -> Tensor:
    """Return each image jittered, scaled and rotated, with reflection at the border.

    Olah et al. 2017, "Feature Visualization", transformation robustness.

    Args:
        pixels: (B, C, H, W).
        transforms: ranges of the transforms.
        generators: one per image, so that its transforms do not depend on the batch.
    """
    if transforms.is_identity:
        return pixels
    samples = torch.stack([torch.rand(4, generator=generator) for generator in generators]) * 2 - 1
    matrices = affine(samples, transforms, (pixels.shape[2], pixels.shape[3])).to(pixels)
    positions = F.affine_grid(matrices, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, positions, mode="bilinear", padding_mode="reflection", align_corners=False)


def affine(samples: Tensor, transforms: Transforms, size: tuple[int, int]) -> Tensor:
    """Convert samples (B, 4) in [-1, 1] to matrices (B, 2, 3) for `affine_grid`; jitter is in whole pixels."""
    height, width = size
    down, across = (samples[:, :2] * transforms.jitter).round().unbind(1)
    zoom, angle = 1 + samples[:, 2] * transforms.scale, samples[:, 3] * math.radians(transforms.rotate)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    # affine_grid works in units of half the height and half the width, which are not the same length
    rows = [cos, -sin * height / width, 2 * across / width, sin * width / height, cos, 2 * down / height]
    return torch.stack(rows, 1).reshape(-1, 2, 3)

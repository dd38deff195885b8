"""Random transforms applied at each optimisation step, so that the result does not depend on single pixels.

Crop, jitter, scale and rotation are combined into one matrix per image, so that it is resampled once.
"""

import math

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor


class Transforms(BaseModel, frozen=True, extra="forbid"):
    """Range of the random transform of each step; all zero is the identity.

    Attributes:
        crop: smallest side of a random crop, as a share of the picture's; the network sees the crop at full size. 1:
            the whole picture.
        noise: standard deviation of noise on the pixels.
        jitter: maximum shift in pixels, in either direction.
        scale: maximum relative change of size, in either direction.
        rotate: maximum angle in degrees, in either direction.
    """

    crop: float = Field(0.3, gt=0, le=1)
    noise: float = Field(0.05, ge=0)
    jitter: float = Field(0, ge=0)
    scale: float = Field(0, ge=0, lt=1)
    rotate: float = Field(5, ge=0, le=180)

    @property
    def is_identity(self) -> bool:
        """Whether the transform is the identity."""
        return self.jitter == self.scale == self.rotate == self.noise == 0 and self.crop == 1


def transform_images(pixels: Tensor, transforms: Transforms, generators: list[torch.Generator]) -> Tensor:
    """Return a random crop of each image, jittered, scaled and rotated, with reflection at the border, and noise.

    Olah et al. 2017, "Feature Visualization", transformation robustness; crops and noise as Fel et al. 2023,
    "Unlocking Feature Visualization for Deeper Networks with Magnitude Constrained Optimization".

    Args:
        pixels: (B, C, H, W).
        transforms: ranges of the transforms.
        generators: one per image, so that its transforms do not depend on the batch.
    """
    if transforms.is_identity:
        return pixels
    samples = torch.stack([torch.rand(7, generator=generator) for generator in generators]) * 2 - 1
    matrices = affine(samples, transforms, (pixels.shape[2], pixels.shape[3])).to(pixels)
    positions = F.affine_grid(matrices, list(pixels.shape), align_corners=False)
    seen = F.grid_sample(pixels, positions, mode="bilinear", padding_mode="reflection", align_corners=False)
    if not transforms.noise:
        return seen
    noise = [torch.randn(pixels.shape[1:], generator=generator) for generator in generators]
    return seen + transforms.noise * torch.stack(noise).to(pixels)


def affine(samples: Tensor, transforms: Transforms, size: tuple[int, int]) -> Tensor:
    """Convert samples (B, 7) in [-1, 1] to matrices (B, 2, 3) for `affine_grid`; jitter is in whole pixels.

    The samples are of: jitter down and across, scale, angle, side of the crop, and its place down and across.
    """
    height, width = size
    down, across = (samples[:, :2] * transforms.jitter).round().unbind(1)
    side = transforms.crop + (1 - transforms.crop) * (samples[:, 4] + 1) / 2
    zoom, angle = (1 + samples[:, 2] * transforms.scale) / side, samples[:, 3] * math.radians(transforms.rotate)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    # affine_grid works in units of half the height and half the width, which are not the same length
    to_right, to_bottom = (samples[:, index] * (1 - side) for index in (6, 5))
    rows = [cos, -sin * height / width, to_right + 2 * across / width, sin * width / height, cos]
    return torch.stack([*rows, to_bottom + 2 * down / height], 1).reshape(-1, 2, 3)

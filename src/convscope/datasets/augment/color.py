"""Photometric augmentation of whole batches."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from convscope.datasets.augment.policies import Policy


@dataclass(frozen=True, eq=False)
class ColorChange:
    """The colour changes of a batch of B images."""

    brightness: Tensor
    """(B,) factors."""
    contrast: Tensor
    """(B,) factors of the difference to the image's mean."""
    color_matrix: Tensor | None = None
    """(B, C, C) linear maps of the colours, or None."""

    def subset(self, rows: slice) -> "ColorChange":
        """The change of some of the images."""
        return ColorChange(
            self.brightness[rows], self.contrast[rows], None if self.color_matrix is None else self.color_matrix[rows]
        )

    def apply(self, x: Tensor) -> Tensor:
        """(B, C, H, W) changed and clipped to [0, 1]; modifies `x` in place if there is no colour matrix."""
        if self.color_matrix is not None:
            x = torch.bmm(self.color_matrix.to(x.device, x.dtype), x.flatten(2)).view(x.shape)
        mean = x.mean((1, 2, 3), keepdim=True)
        brightness, contrast = (
            part.to(x.device, x.dtype).view(-1, 1, 1, 1) for part in (self.brightness, self.contrast)
        )
        # mean' + contrast (brightness x - mean') with mean' = brightness mean, in one pass
        return x.mul_(brightness * contrast).add_(brightness * mean * (1 - contrast)).clamp_(0, 1)


def sample_color(policy: Policy, batch: int, channels: int, generator: torch.Generator) -> ColorChange | None:
    """A random change of brightness, contrast, saturation, hue and grey; None if the policy has none."""
    if not (policy.brightness or policy.contrast or policy.saturation or policy.hue or policy.grey):
        return None
    brightness = 1 + policy.brightness * _uniform(batch, generator)
    contrast = 1 + policy.contrast * _uniform(batch, generator)
    saturation = 1 + policy.saturation * _uniform(batch, generator)
    hue = math.radians(policy.hue) * _uniform(batch, generator)
    if policy.grey:
        saturation = saturation * (torch.rand(batch, generator=generator, device=generator.device) >= policy.grey)
    mixed = channels == 3 and bool(policy.saturation or policy.hue or policy.grey)
    return ColorChange(brightness, contrast, _color_matrix(saturation, hue) if mixed else None)


def change_color(x: Tensor, policy: Policy, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation, hue and grey, as one linear map of each image's colours, clipped to [0, 1]."""
    colour = sample_color(policy, len(x), x.shape[1], generator)
    return x if colour is None else colour.apply(x.clone())


def blur(x: Tensor, policy: Policy, generator: torch.Generator) -> Tensor:
    """Blur half of the images with a Gaussian, truncated at three policy deviations, with replicated borders."""
    if policy.blur == 0:
        return x
    batch, channels, height, width = x.shape
    reach = min(math.ceil(3 * policy.blur), height, width)
    sigma = policy.blur * torch.rand(batch, generator=generator, device=generator.device)
    sigma = torch.where(torch.rand(batch, generator=generator, device=generator.device) < 0.5, sigma, 0.0)
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets / sigma.clamp(min=1e-3)[:, None]) ** 2)
    weights = (weights / weights.sum(1, keepdim=True)).to(x.device, x.dtype).repeat_interleave(channels, 0)
    flat = functional.pad(x.reshape(1, batch * channels, height, width), (reach,) * 4, mode="replicate")
    for shape in ((-1, 1, 1, 2 * reach + 1), (-1, 1, 2 * reach + 1, 1)):
        flat = functional.conv2d(flat, weights.view(shape), groups=batch * channels)
    return flat.reshape(x.shape)


def noise(x: Tensor, policy: Policy, generator: torch.Generator) -> Tensor:
    """Add normal noise with a random deviation per image; clipped to [0, 1]."""
    if policy.noise == 0:
        return x
    strength = policy.noise * torch.rand(len(x), generator=generator, device=generator.device)
    sample = torch.randn(x.shape, generator=generator, device=generator.device)
    return (x + (strength.view(-1, 1, 1, 1) * sample).to(x.device, x.dtype)).clamp(0, 1)


def cut_out(x: Tensor, policy: Policy, generator: torch.Generator) -> Tensor:
    """Cutout (DeVries and Taylor, 2017, arXiv:1708.04552): erase a square in half of the images with the mean colour.

    The centre of the square is uniform, so part of it may be outside the image.
    """
    if policy.cutout == 0:
        return x
    height, width = x.shape[-2:]
    side = policy.cutout * min(height, width)
    random = torch.rand((3, len(x)), generator=generator, device=generator.device).to(x.device)
    rows = (torch.arange(height, device=x.device)[None] + 0.5 - random[0][:, None] * height).abs() < side / 2
    columns = (torch.arange(width, device=x.device)[None] + 0.5 - random[1][:, None] * width).abs() < side / 2
    square = rows[:, :, None] & columns[:, None, :] & (random[2] < 0.5)[:, None, None]
    return torch.where(square[:, None], x.mean((2, 3), keepdim=True), x)


def _color_matrix(saturation: Tensor, hue: Tensor) -> Tensor:
    """(B, 3, 3) colour maps: saturation, then rotation around the grey axis by the hue (Rodrigues' formula)."""
    grey = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    cos, sin = torch.cos(hue)[:, None, None], torch.sin(hue)[:, None, None]
    rotated = cos * (torch.eye(3) - grey) + sin * cross
    return grey + saturation[:, None, None] * rotated


def _uniform(batch: int, generator: torch.Generator) -> Tensor:
    """(B,) uniform in [-1, 1)."""
    return torch.rand(batch, generator=generator, device=generator.device) * 2 - 1

"""Augmentation of batches of series: jitter, scaling, crops, time warping and shifts.

Um et al., "Data augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional neural
networks", ICMI 2017 (jitter, scaling, warping); Le Guennec et al., "Data augmentation for time series classification
using convolutional neural networks", ECML workshop 2016 (window slicing, here `crop`).
"""

from dataclasses import dataclass

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from convscope.datasets.augment.of_inputs import InputAugment
from convscope.datasets.augment.policies import named_policy

_KNOTS = 4  # of the smooth curve that warps time


class SeriesPolicy(BaseModel, frozen=True, extra="forbid"):
    """The strength of each augmentation of series; 0, and 1 for `crop`, is none."""

    jitter: float = Field(0.0, ge=0)
    """Standard deviation of added noise, as a fraction of the standard deviation of the series."""
    scale: float = Field(0.0, ge=0, lt=1)
    """Each series is multiplied by a factor between 1 - scale and 1 + scale, around its mean."""
    crop: float = Field(1.0, gt=0, le=1)
    """Minimum length of a random window that is stretched to the whole length, as a fraction of it."""
    warp: float = Field(0.0, ge=0, lt=1)
    """How much faster or slower time may run in parts of a series: 0.2 is up to 20 %."""
    shift: float = Field(0.0, ge=0, le=1)
    """Largest shift in time, as a fraction of the length; the first or last value is repeated."""


SERIES_POLICIES: dict[str, SeriesPolicy] = {
    "none": SeriesPolicy(),
    "light": SeriesPolicy(shift=1 / 8, scale=0.1),
    "standard": SeriesPolicy(shift=1 / 8, scale=0.2, jitter=0.03, crop=0.9),
    "strong": SeriesPolicy(shift=1 / 8, scale=0.3, jitter=0.1, crop=0.8, warp=0.2),
}


@dataclass(frozen=True)
class SeriesAugment(InputAugment):
    """Augments batches of series by a policy; the same generator state gives the same result on every device."""

    chosen: SeriesPolicy

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment series (B, C, L) float32, NaN where there is no value."""
        policy = self.chosen
        if policy.shift or policy.crop < 1 or policy.warp:
            x = resample(x, self._positions(len(x), x.shape[-1], generator))
        if policy.scale or policy.jitter:
            mean, deviation = _moments(x)
            factor = 1 + policy.scale * (2 * torch.rand(len(x), 1, 1, generator=generator) - 1)
            x = mean + (x - mean) * factor.to(x.device)
            if policy.jitter:
                x = x + policy.jitter * deviation * torch.randn(x.shape, generator=generator).to(x.device)
        return x

    def _positions(self, count: int, length: int, generator: torch.Generator) -> Tensor:
        """(B, L) where each value of the result is taken from, in samples."""
        policy = self.chosen
        time = torch.linspace(0, 1, length).expand(count, length)
        if policy.warp:
            speed = 1 + policy.warp * (2 * torch.rand(count, _KNOTS, generator=generator) - 1)
            speed = torch.nn.functional.interpolate(speed[:, None], length, mode="linear", align_corners=True)[:, 0]
            passed = speed.cumsum(1) - speed[:, :1]
            time = passed / passed[:, -1:].clamp(min=1e-9)
        if policy.crop < 1:
            window = policy.crop + (1 - policy.crop) * torch.rand(count, 1, generator=generator)
            time = time * window + (1 - window) * torch.rand(count, 1, generator=generator)
        resampled = policy.crop < 1 or policy.warp > 0
        positions = time * (length - 1) if resampled else torch.arange(float(length)).expand(count, length)
        if policy.shift:
            shift = policy.shift * length * (2 * torch.rand(count, 1, generator=generator) - 1)
            positions = positions + (shift if resampled else shift.round())
        return positions


def resample(x: Tensor, positions: Tensor) -> Tensor:
    """(B, C, L) the values of (B, C, L) series at positions (B, L), linearly interpolated; the ends are repeated."""
    positions = positions.clamp(0, x.shape[-1] - 1).to(x.device)
    before = positions.floor().long()
    share = (positions - before)[:, None]
    after = (before + 1).clamp(max=x.shape[-1] - 1)
    first, second = (x.gather(2, index[:, None].expand(-1, x.shape[1], -1)) for index in (before, after))
    return torch.where(share > 0, first + share * (second - first), first)


def series_augment(policy: str | SeriesPolicy) -> SeriesAugment:
    """A function that augments a batch of series.

    Raises:
        ConfigError: the policy does not exist.
    """
    return SeriesAugment(named_policy(policy, SERIES_POLICIES))


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """(B, C, 1) mean and standard deviation of the known values of each channel."""
    known = torch.isfinite(x)
    count = known.sum(2, keepdim=True).clamp(min=1)
    mean = torch.where(known, x, 0.0).sum(2, keepdim=True) / count
    variance = torch.where(known, (x - mean) ** 2, 0.0).sum(2, keepdim=True) / count
    return mean, variance.sqrt()

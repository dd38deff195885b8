"""Augmentation of batches of sound, as spectrograms and as samples.

Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition", Interspeech 2019,
arXiv:1904.08779 (masks over time and bands, section 2; one of each, without its time warping).
"""

from dataclasses import dataclass

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from convscope.datasets.augment.of_inputs import InputAugment
from convscope.datasets.augment.pipeline import to_unit_floats
from convscope.datasets.inputs.mel import RANGE

FULL_SCALE = 32_768.0
"""The value of an int16 sample that is 1."""


class SoundPolicy(BaseModel, frozen=True, extra="forbid"):
    """The strength of each augmentation of sound; 0 is none."""

    shift: float = Field(0.0, ge=0, le=1)
    """Largest shift in time, as a fraction of the length; what is free is silent."""
    gain: float = Field(0.0, ge=0, le=40)
    """Largest change of the level in decibels, up or down."""
    noise: float = Field(0.0, ge=0, le=1)
    """Largest amplitude of added white noise, as a fraction of the loudest value of a recording."""
    time_mask: float = Field(0.0, ge=0, lt=1)
    """Largest duration that is masked, as a fraction of the length."""
    band_mask: float = Field(0.0, ge=0, lt=1)
    """Largest share of the bands of a spectrogram that is masked."""


SOUND_POLICIES: dict[str, SoundPolicy] = {
    "none": SoundPolicy(),
    "light": SoundPolicy(shift=0.1, gain=3, time_mask=0.1, band_mask=0.1),
    "standard": SoundPolicy(shift=0.1, gain=6, noise=0.02, time_mask=0.15, band_mask=0.15),
    "strong": SoundPolicy(shift=0.2, gain=10, noise=0.1, time_mask=0.3, band_mask=0.3),
}


@dataclass(frozen=True)
class SpectrogramAugment(InputAugment):
    """Augments batches of spectrograms; the same generator state gives the same result on every device."""

    chosen: SoundPolicy

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment spectrograms (B, C, bands, columns), uint8 or in [0, 1], of `RANGE` decibels."""
        policy, count = self.chosen, len(x)
        x = shifted(to_unit_floats(x), policy.shift, generator)
        if policy.gain:
            change = policy.gain / RANGE * (2 * torch.rand(count, 1, 1, 1, generator=generator) - 1)
            x = torch.where(x > 0, (x + change.to(x.device)).clamp(0, 1), x)
        if policy.noise:
            x = _with_noise(x, policy.noise * torch.rand(count, 1, 1, 1, generator=generator), generator)
        mean = x.mean((1, 2, 3), keepdim=True)
        for share, axis in ((policy.time_mask, 3), (policy.band_mask, 2)):
            if share:
                masked = spans(count, x.shape[axis], share, generator).to(x.device)
                x = torch.where(masked.view(count, 1, *((1, -1) if axis == 3 else (-1, 1))), mean, x)
        return x


@dataclass(frozen=True)
class WaveAugment(InputAugment):
    """Augments batches of samples; the same generator state gives the same result on every device."""

    chosen: SoundPolicy

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment samples (B, C, L), int16 or in [-1, 1]."""
        policy, count = self.chosen, len(x)
        x = shifted(unit_samples(x), policy.shift, generator)
        if policy.gain:
            change = policy.gain * (2 * torch.rand(count, 1, 1, generator=generator) - 1)
            x = x * (10 ** (change / 20)).to(x.device)
        if policy.noise:
            amplitude = policy.noise * torch.rand(count, 1, 1, generator=generator)
            noise = (amplitude * torch.randn(x.shape, generator=generator)).to(x.device)
            x = x + noise * x.abs().amax((1, 2), keepdim=True)
        if policy.time_mask:
            x = x.masked_fill(spans(count, x.shape[2], policy.time_mask, generator).to(x.device)[:, None], 0)
        return x


def unit_samples(x: Tensor) -> Tensor:
    """Samples in [-1, 1] of int16 or such samples, float32."""
    return x.float() / FULL_SCALE if x.dtype == torch.int16 else x


def shifted(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """(B, ..., L) each example moved by up to `share` of its length along the last axis; 0 where nothing is left."""
    if not share:
        return x
    count, length = len(x), x.shape[-1]
    shift = (share * length * (2 * torch.rand(count, 1, generator=generator) - 1)).round().long()
    source = torch.arange(length).expand(count, length) - shift
    inside = ((source >= 0) & (source < length)).to(x.device)
    source = source.clamp(0, length - 1).to(x.device)
    shape = (count, *[1] * (x.dim() - 2), length)
    moved = x.gather(-1, source.view(shape).expand_as(x))
    return torch.where(inside.view(shape), moved, torch.zeros((), device=x.device, dtype=x.dtype))


def spans(count: int, length: int, share: float, generator: torch.Generator) -> Tensor:
    """(B, L) true in one random span of each row, of 0 to `share` of the length."""
    width = share * length * torch.rand(count, 1, generator=generator)
    start = (length - width) * torch.rand(count, 1, generator=generator)
    place = torch.arange(length)
    return (place >= start.round()) & (place < (start + width).round())


def _with_noise(x: Tensor, amplitude: Tensor, generator: torch.Generator) -> Tensor:
    """Add the power of noise to spectrograms: exponentially distributed around its mean, as that of white noise."""
    power = 10 ** ((x - 1) * RANGE / 10)
    drawn = torch.rand(x.shape, generator=generator).clamp(min=1e-6).log().neg()
    noise = (amplitude.square() * drawn).to(x.device)
    return (1 + (power + noise).clamp(min=1e-10).log10() * 10 / RANGE).clamp(0, 1)

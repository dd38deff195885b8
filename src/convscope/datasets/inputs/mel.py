"""Log-mel spectrograms: the power of sound by time and by frequency bands of equal perceived width.

The scale and the areas of the bands are Slaney's (Auditory Toolbox, 1998), as librosa computes them by default.
"""

import math
from functools import cache

import torch
from torch import Tensor

RANGE = 80.0
"""Decibels below the loudest value of a recording that count as silence."""
BANDS = 64
HOPS = 100
"""Columns per second."""
_WINDOW = 0.025  # seconds; the window is the next power of two
_LINEAR, _BREAK = 200 / 3, 1000.0  # Hz per mel up to 1,000 Hz, above them logarithmic
_STEP = math.log(6.4) / 27


def hop_of(rate: int) -> int:
    """Samples from one column to the next: 10 ms."""
    return max(1, round(rate / HOPS))


def window_of(rate: int) -> int:
    """Samples of a column: the power of two from 25 ms up.

    >>> window_of(8000), window_of(16000), window_of(22050)
    (256, 512, 1024)
    """
    return int(2 ** math.ceil(math.log2(max(2, rate * _WINDOW))))


def columns_of(samples: int, rate: int) -> int:
    """Columns of the spectrogram of a number of samples."""
    return 1 + samples // hop_of(rate)


def mel_power(samples: Tensor, rate: int, bands: int = BANDS) -> Tensor:
    """(C, bands, columns) power of (C, T) samples in each band, the lowest first.

    The short-time Fourier transform has a Hann window of `window_of` samples every `hop_of` samples, centred, with
    zeros beyond both ends.
    """
    window, hop = window_of(rate), hop_of(rate)
    spectrum = torch.stft(
        samples, window, hop, window=torch.hann_window(window), center=True, pad_mode="constant", return_complex=True
    )
    return mel_filters(rate, window, bands) @ spectrum.abs().square()


def decibels(power: Tensor) -> Tensor:
    """Power in decibels relative to the largest value of the recording, from -80 to 0."""
    level = 10 * power.clamp(min=1e-10).log10()
    return (level - level.max()).clamp(min=-RANGE)


@cache
def mel_filters(rate: int, window: int, bands: int) -> Tensor:
    """(bands, window // 2 + 1) weights of the frequencies in each band: triangles of equal area."""
    edges = _frequency(
        torch.linspace(0, float(_mel(torch.tensor(rate / 2.0, dtype=torch.float64))), bands + 2).double()
    )
    frequencies = torch.linspace(0, rate / 2, window // 2 + 1, dtype=torch.float64)
    distance = edges[:, None] - frequencies
    width = edges.diff()
    rising = -distance[:-2] / width[:-1, None]
    falling = distance[2:] / width[1:, None]
    weights = torch.minimum(rising, falling).clamp(min=0)
    return (weights * (2 / (edges[2:] - edges[:-2]))[:, None]).float()


def _mel(frequency: Tensor) -> Tensor:
    logarithmic = _BREAK / _LINEAR + (frequency.clamp(min=1) / _BREAK).log() / _STEP
    return torch.where(frequency < _BREAK, frequency / _LINEAR, logarithmic)


def _frequency(mel: Tensor) -> Tensor:
    logarithmic = _BREAK * (_STEP * (mel - _BREAK / _LINEAR)).exp()
    return torch.where(mel < _BREAK / _LINEAR, mel * _LINEAR, logarithmic)

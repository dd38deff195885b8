"""Drawn series of ten classes: MNIST-1D.

Greydanus and Kobak, "Scaling down deep learning with MNIST-1D", ICML 2024 (arXiv:2011.14439): a template of 12 points
per digit is padded, scaled, translated, sheared and blurred with correlated noise, and sampled at 40 points.
"""

import numpy as np
from numpy.typing import NDArray

TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
"""Of the digits 0 to 9, from the authors' code."""
LENGTH = 40
_PADDING = (36, 60)  # points after the template
_SCALE, _TRANSLATION, _SHEAR = 0.4, 48, 0.75
_CORRELATED_NOISE, _NOISE = 0.25, 0.02
_BLUR = 2  # standard deviation of the correlated noise's filter, in points


def draw_waves(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(N, 1, 40) series and their digits (N,), equally many of each, in random order."""
    random = np.random.default_rng(seed)
    digits = random.permutation(np.arange(count) % len(TEMPLATES))
    templates = np.array(TEMPLATES)
    templates = templates - templates.mean(1, keepdims=True)
    templates = templates / templates.std(1, keepdims=True)
    templates = (templates - templates[:, :1]) / 6
    series = np.stack([_wave(templates[digit], random) for digit in digits])
    return series[:, None].astype(np.float32), digits.astype(np.int64)


def _wave(template: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter1d

    whole = np.concatenate([template + 1e-8, np.zeros(random.integers(_PADDING[0], _PADDING[1] + 1))])
    wave = _sampled(whole, len(template) + _PADDING[1])
    wave = wave * (1 + _SCALE * (random.random() - 0.5))
    wave = np.roll(wave, random.integers(_TRANSLATION))
    noise = gaussian_filter1d(_CORRELATED_NOISE * random.standard_normal(len(wave)), _BLUR)
    wave = np.where(wave != 0, wave, noise) + _NOISE * random.standard_normal(len(wave))
    wave = wave - _SHEAR * (random.random() - 0.5) * np.linspace(-0.5, 0.5, len(wave))
    return _sampled(wave, LENGTH)


def _sampled(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """`count` evenly spaced values from the first to the last, linearly interpolated."""
    return np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(values)), values)

"""Calibration: whether probabilities are the shares of correct predictions, and the temperature that makes them so."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

LEAST_IMAGES = 100  # for a temperature and a calibration error
LOWEST, HIGHEST = 0.2, 10.0  # temperatures
SEARCH_STEPS = 40
BINS = 15
SAMPLES = 200


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error without its bias, in [0, 1], and its 95 % interval."""

    value: float
    low: float
    high: float


def fitted_temperature(logits: Tensor, target: Tensor) -> float:
    """Return the temperature T for which softmax(logits / T) has the least cross entropy, in [0.2, 10].

    Guo et al. 2017, arXiv:1706.04599, section 4.2. Targets are (N + 1) / (N + 2) instead of 1 (Platt 1999), so that
    predictions that are all correct do not get probabilities of 1. The loss is convex in 1 / T: golden-section search.

    Args:
        logits: (N, K).
        target: (N,) classes.
    """
    scores, count = logits.double(), len(target)
    smoothing = 1 / (count + 2) * logits.shape[1] / max(logits.shape[1] - 1, 1)

    def loss(inverse: float) -> float:
        return float(F.cross_entropy(scores * inverse, target, label_smoothing=min(smoothing, 0.5)))

    low, high, ratio = 1 / HIGHEST, 1 / LOWEST, (5**0.5 - 1) / 2
    for _ in range(SEARCH_STEPS):
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, second) if loss(first) < loss(second) else (first, high)
    return 2 / (low + high)


def most_probable(logits: Tensor, target: Tensor, temperature: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (N,) the probability of each prediction, and (N,) whether it is correct."""
    probability, predicted = (logits.double() / temperature).softmax(1).max(1)
    return probability.numpy(), (predicted == target).numpy()


def expected_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Return the mean distance of confidence and accuracy over bins of equal numbers of images, in [0, 1]."""
    bins = _bins(confidence, min(BINS, max(1, len(confidence) // 10)))
    distances = (len(rows) * abs(confidence[rows].mean() - correct[rows].mean()) for rows in bins)
    return float(sum(distances) / len(confidence))


def error_interval(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> CalibrationError:
    """Return the calibration error without its bias, and its interval from 200 bootstrap samples.

    The bias is the mean error of simulated labels that fit the probabilities.
    """
    generator, count = np.random.default_rng(0), len(correct)
    bias = np.mean([expected_error(confidence, generator.random(count) < confidence) for _ in range(SAMPLES)])
    samples = []
    for _ in range(SAMPLES):
        rows = generator.integers(0, count, count)
        samples.append(expected_error(confidence[rows], correct[rows]))
    error = expected_error(confidence, correct)
    shift = float(np.mean(samples)) - error + float(bias)  # samples with repeated images have a bias of their own
    low, high = (max(0.0, float(np.quantile(samples, q)) - shift) for q in (0.025, 0.975))
    return CalibrationError(max(0.0, error - float(bias)), low, high)


def reliability(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (M,) the mean confidence and (M,) the accuracy of each of at most 15 bins, for a plot."""
    kept = [rows for rows in _bins(confidence, min(BINS, max(1, len(confidence) // 10))) if len(rows)]
    return np.array([confidence[r].mean() for r in kept]), np.array([correct[r].mean() for r in kept])


def _bins(confidence: NDArray[np.float64], count: int) -> list[NDArray[np.int64]]:
    """Return rows in bins of rising confidence; equal ones are shuffled, since files are in the order of classes."""
    shuffled = np.random.default_rng(0).permutation(len(confidence))
    return np.array_split(shuffled[np.argsort(confidence[shuffled], kind="stable")], count)

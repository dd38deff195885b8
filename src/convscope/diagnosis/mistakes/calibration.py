"""Probabilities that are not the shares of correct predictions."""

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.finding import Change, Finding, per_cent
from convscope.diagnosis.mistakes.view import MistakeView

LEAST_ERROR = 0.05  # the lower end of the interval, above what calibrated predictions have
BINS = 15
SAMPLES = 200
LEAST_IMAGES = 100
TEMPERATURES = np.geomspace(0.2, 10, 200)


def calibration(view: MistakeView) -> Finding | None:
    """Find an expected calibration error that is high beyond chance (Guo et al. 2017, arXiv:1706.04599).

    Bins have equal numbers of images. The error of perfectly calibrated predictions is above 0 by chance: its mean over
    simulated labels is subtracted. The interval is from 200 bootstrap samples.
    """
    if len(view.labels) < LEAST_IMAGES:
        return None
    confidence, correct = view.probabilities().max(1), ~view.wrong
    error, low, high = error_interval(confidence, correct)
    if low < LEAST_ERROR:
        return None
    temperature = fitted_temperature(view)
    after = expected_error(view.probabilities(temperature).max(1), correct)
    mean, accuracy = float(confidence.mean()), float(correct.mean())
    sure = "too sure" if mean > accuracy else "not sure enough"
    return Finding(
        "calibration", min(0.5, 0.2 + error), "probabilities",
        f"the network is {sure}: its mean probability is {per_cent(mean)} and it is right for {per_cent(accuracy)} "
        f"(calibration error {error:.3f}, 95 % interval {low:.3f} to {high:.3f})",
        error, LEAST_ERROR,
        Change(f"divide the logits by {temperature:.2f} before softmax, which leaves an error of {after:.3f}"),
        series=dict(zip(("confidence", "accuracy"), reliability(confidence, correct), strict=True)),
    )  # fmt: skip


def expected_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Return the mean distance of confidence and accuracy over bins of equal numbers of images, in [0, 1]."""
    bins = _bins(confidence, min(BINS, max(1, len(confidence) // 10)))
    distances = (len(rows) * abs(confidence[rows].mean() - correct[rows].mean()) for rows in bins)
    return float(sum(distances) / len(confidence))


def error_interval(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the calibration error without its bias, and its 95 % interval."""
    generator, count = np.random.default_rng(0), len(correct)
    bias = np.mean([expected_error(confidence, generator.random(count) < confidence) for _ in range(SAMPLES)])
    samples = []
    for _ in range(SAMPLES):
        rows = generator.integers(0, count, count)
        samples.append(expected_error(confidence[rows], correct[rows]))
    error = expected_error(confidence, correct)
    shift = float(np.mean(samples)) - error + float(bias)  # samples with repeated images have a bias of their own
    low, high = (max(0.0, float(np.quantile(samples, q)) - shift) for q in (0.025, 0.975))
    return max(0.0, error - float(bias)), low, high


def _bins(confidence: NDArray[np.float64], count: int) -> list[NDArray[np.int64]]:
    """Return rows in bins of rising confidence; equal ones are shuffled, since files are in the order of classes."""
    shuffled = np.random.default_rng(0).permutation(len(confidence))
    return np.array_split(shuffled[np.argsort(confidence[shuffled], kind="stable")], count)


def reliability(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> tuple[tuple[float, ...], ...]:
    """Return the mean confidence and the accuracy of each bin, for a plot."""
    kept = [rows for rows in _bins(confidence, BINS) if len(rows)]
    return tuple(float(confidence[r].mean()) for r in kept), tuple(float(correct[r].mean()) for r in kept)


def fitted_temperature(view: MistakeView) -> float:
    """Return the temperature with the least cross entropy, of 200 between 0.2 and 10."""
    rows = np.arange(len(view.labels))
    losses = [-np.log(view.probabilities(t)[rows, view.labels] + 1e-12).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])

"""Overfitting detection: true positives and true negatives."""

import math

import pytest
import torch

from convscope.training import overfitting_from

FALLING = [2.0 * 0.8**epoch for epoch in range(20)]


def noise(scale: float, seed: int) -> list[float]:
    return (scale * torch.randn(20, generator=torch.Generator().manual_seed(seed))).tolist()


def turning(at: int) -> list[float]:
    """Validation loss that falls up to epoch `at` (from 1) and rises after it."""
    return [1.0 + 0.05 * abs(epoch + 1 - at) for epoch in range(20)]


@pytest.mark.parametrize("at", [3, 6, 12])
def test_diverging_curves_are_detected_with_the_epoch(at):
    assert overfitting_from(FALLING, turning(at)) == pytest.approx(at + 1, abs=1)


@pytest.mark.parametrize("seed", range(20))
def test_they_are_detected_under_noise(seed):
    noisy = [loss + jitter for loss, jitter in zip(turning(6), noise(0.03, seed), strict=True)]
    assert overfitting_from(FALLING, noisy) == pytest.approx(7, abs=3)


def test_a_hand_example_to_the_epoch():
    """Lowest at epoch 3 after smoothing; from epoch 4 on it rises while training loss falls."""
    assert overfitting_from([9, 8, 7, 6, 5, 4, 3], [3.0, 2.0, 1.0, 1.5, 2.0, 2.5, 3.0]) == 4


@pytest.mark.parametrize("seed", range(20))
def test_a_flat_loss_is_not_overfitting(seed):
    assert overfitting_from(FALLING, [1.0 + jitter for jitter in noise(0.05, seed)]) is None


def test_two_decreasing_losses_are_not_overfitting():
    assert overfitting_from(FALLING, [1.1 * loss for loss in FALLING]) is None


def test_two_increasing_losses_are_not_overfitting():
    """Training diverges, which is not overfitting."""
    assert overfitting_from(turning(6), turning(6)) is None


def test_one_bad_epoch_at_the_end_is_not_overfitting():
    assert overfitting_from(FALLING, [*FALLING[:-1], 5.0]) is None


@pytest.mark.parametrize("epochs", range(4))
def test_few_epochs_give_no_result(epochs):
    assert overfitting_from(FALLING[:epochs], turning(1)[:epochs]) is None


def test_a_nan_validation_loss_counts_as_high():
    assert overfitting_from([9, 8, 7, 6, 5, 4, 3], [3.0, 2.0, 1.0, math.nan, 2.0, 2.5, 3.0]) is not None


def test_losses_of_nan_only_give_no_result():
    assert overfitting_from([1.0] * 8, [math.nan] * 8) is None


def test_curves_of_different_lengths_are_rejected():
    with pytest.raises(ValueError, match=r"^2 training and 1 validation losses$"):
        overfitting_from([1.0, 2.0], [1.0])

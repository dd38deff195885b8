"""Temperatures and calibration errors, and their effect on the probabilities of a task."""

import numpy as np
import pytest
import torch

from convscope.tasks import Classify
from convscope.tasks.calibration import error_interval, expected_error, fitted_temperature, reliability

CLASSES = ("ant", "bee", "cat")


def sampled(count=4000, scale=1.0, seed=0):
    """Logits, times a factor, and targets that are drawn from the softmax of the logits without it."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, 3, generator=generator)
    target = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return logits * scale, target


def meter_of(logits, target):
    meter = Classify(CLASSES).meter()
    meter.add(logits, target)
    return meter


def test_the_calibration_error_worked_by_hand():
    """Twenty images in two bins of ten: confidence 0.6 of which 5 are right, and 0.9 of which 10 are."""
    confidence = np.repeat([0.6, 0.9], 10)
    correct = np.array([True] * 5 + [False] * 5 + [True] * 10)
    assert expected_error(confidence, correct) == pytest.approx((0.1 + 0.1) / 2)
    assert [points.tolist() for points in reliability(confidence, correct)] == [
        pytest.approx([0.6, 0.9]), pytest.approx([0.5, 1.0]),
    ]  # fmt: skip


def test_the_interval_of_the_error_contains_it():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.5, 1, 400)
    found = error_interval(confidence, generator.random(400) < confidence - 0.2)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_is_the_factor_of_the_logits(scale):
    assert fitted_temperature(*sampled(scale=scale)) == pytest.approx(scale, rel=0.06)


def test_predictions_that_are_all_correct_get_no_probability_of_one():
    """By hand: with the margin m, K = 2 and Platt's target (N + 1) / (N + 2), softmax gives that target."""
    target = torch.arange(100) % 2
    logits = 8.0 * torch.nn.functional.one_hot(target, 2).double()
    temperature = fitted_temperature(logits, target)
    probability = float((logits / temperature).softmax(1).max())
    assert probability == pytest.approx(101 / 102, abs=1e-4)


def test_the_temperature_is_fitted_on_validation_and_changes_probabilities_only():
    logits, target = sampled(scale=3.0)
    task = Classify(CLASSES).calibrate(meter_of(logits, target))
    assert task.settings()["temperature"] == task.temperature == pytest.approx(3.0, rel=0.06)
    assert torch.equal(task.decode(logits), (logits / task.temperature).softmax(1))
    assert torch.equal(task.class_probabilities(logits), task.decode(logits))
    assert torch.equal(task.answers(logits)["probabilities"], task.decode(logits))
    assert task.scores(logits, target) == Classify(CLASSES).scores(logits, target)


def test_few_images_fit_no_temperature():
    assert Classify(CLASSES).calibrate(meter_of(*sampled(count=99))).temperature == 1.0


def test_the_report_shows_the_calibration():
    meter = meter_of(*sampled(count=600, scale=3.0))
    section = next(one for one in Classify(CLASSES, temperature=3.0).sections(meter) if one.title == "Calibration")
    assert len(section.x) == 15
    assert "temperature 3.00" in section.note

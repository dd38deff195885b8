"""The checks of the mistakes find what is planted in predictions, and nothing in good ones."""

from dataclasses import replace

import numpy as np
import pytest

from convscope.diagnosis.mistakes.calibration import calibration
from convscope.diagnosis.mistakes.slices import slices
from convscope.diagnosis.mistakes.two_way_confusions import two_way_confusions
from convscope.diagnosis.mistakes.view import MistakeView

CLASSES = ("ant", "bee", "cat")


def view(wrong=0.1, seed=0, count=600, scale=1.0):
    """Predictions that are wrong at random with a constant share and calibrated logits, times a factor."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    shown = np.where(generator.random(count) < wrong, (labels + generator.integers(1, 3, count)) % 3, labels)
    logits = np.zeros((count, 3))
    logits[np.arange(count), shown] = np.log((1 - wrong) * 2 / wrong) * scale
    cues = {"brightness": generator.random((count, 1)).astype(np.float32)}
    return MistakeView(tuple(f"{i}.png" for i in range(count)), CLASSES, logits, labels, cues=cues)


@pytest.mark.parametrize("seed", range(5))
def test_mistakes_at_random_have_no_findings(seed):
    for check in (slices, two_way_confusions, calibration):
        assert check(view(seed=seed)) is None


def test_dark_images_of_a_class_that_fail_are_a_slice():
    good = view()
    dark = (good.cues["brightness"][:, 0] < 0.3) & (good.labels == 1)
    logits = good.logits.copy()
    logits[dark] = [5.0, 0.0, 0.0]
    finding = slices(MistakeView(good.names, CLASSES, logits, good.labels, cues=good.cues))
    assert finding.where == "dark images of class bee"
    assert finding.change.text == "add training images like these: dark images of class bee"
    assert finding.figure > 0.5
    rows = [int(name.removesuffix(".png")) for name in finding.images]
    assert dark[rows].mean() > 0.8


def with_features(good, hidden):
    """Features in which some images lie apart."""
    noise = np.random.default_rng(3).normal(size=(len(hidden), 8))
    noise[hidden, 0] += 8
    return replace(good, features=noise)


def test_a_group_of_images_that_only_the_features_show_is_a_slice():
    good = view(count=900)
    hidden = (np.arange(900) % 4 == 0) & (good.labels == 2)
    logits = good.logits.copy()
    logits[hidden & (np.arange(900) % 8 == 0)] = [5.0, 0.0, 0.0]
    finding = slices(replace(with_features(good, hidden), logits=logits))
    assert finding.where.startswith("images of class cat like ")
    example = int(finding.where.split()[-1].removesuffix(".png"))
    assert hidden[example]
    assert hidden[[int(name.removesuffix(".png")) for name in finding.images]].mean() > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_groups_in_the_features_with_mistakes_at_random_have_no_finding(seed):
    good = view(seed=seed)
    assert slices(with_features(good, np.arange(600) % 4 == 0)) is None


def test_classes_that_are_taken_for_each_other_are_named():
    labels = np.repeat([0, 1, 2], 20)
    predicted = labels.copy()
    predicted[:8], predicted[20:26] = 1, 0
    finding = two_way_confusions(MistakeView(tuple(map(str, range(60))), CLASSES, np.eye(3)[predicted], labels))
    assert finding.where == "classes ant and bee"
    assert finding.message == "40 % of ant are taken for bee, and 30 % of bee for ant"


def test_one_way_confusions_are_not_named():
    labels = np.repeat([0, 1, 2], 20)
    predicted = labels.copy()
    predicted[:10] = 1
    assert two_way_confusions(MistakeView(tuple(map(str, range(60))), CLASSES, np.eye(3)[predicted], labels)) is None


def test_a_network_that_is_too_sure_is_found_with_the_temperature():
    finding = calibration(view(wrong=0.3, scale=3.0))
    assert finding.message.startswith("the network is too sure: its mean probability is ")
    assert finding.change.text == "divide the logits by 2.93 before softmax, which leaves an error of 0.000"


def test_a_network_whose_temperature_is_saved_is_calibrated():
    assert calibration(replace(view(wrong=0.3, scale=3.0), temperature=3.0)) is None


def test_equal_confidences_of_images_in_the_order_of_classes_are_calibrated():
    labels = np.repeat([0, 1, 2], 100)
    logits = np.tile([0.01, 0.0, 0.0], (300, 1))
    assert calibration(MistakeView(tuple(map(str, range(300))), CLASSES, logits, labels)) is None

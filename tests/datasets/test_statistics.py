"""Statistics of a dataset."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.statistics import Spread, channel_statistics, cut_note, summarise
from convscope.layouts.builtin import digits


def test_mean_and_deviation_by_hand() -> None:
    pixels = np.zeros((3, 2, 1, 2), np.uint8)
    pixels[0, 0], pixels[1, 0] = [[0, 255]], [[255, 255]]
    mean, deviation = channel_statistics(pixels, np.array([1, 0]))
    assert mean.tolist() == [0.75, 0]
    assert deviation.tolist() == [pytest.approx(np.sqrt(3) / 4), 1 / 255]


def test_mean_and_deviation_equal_numpys_over_many_chunks() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1100, 3, 4, 5), dtype=np.uint8)
    rows = np.random.default_rng(1).permutation(1100)[:1050]
    mean, deviation = channel_statistics(pixels, rows)
    plain = pixels[rows] / 255
    assert np.allclose(mean, plain.mean((0, 2, 3)))
    assert np.allclose(deviation, plain.std((0, 2, 3)))


def test_the_summary_counts_the_images(labelled: Callable[..., Dataset]) -> None:
    dataset = labelled([0, 0, 0, 0, 1, 1, 2])
    dataset = replace(
        dataset,
        sizes=np.array([[10, 20], [30, 20], [20, 20], [20, 40], [20, 20], [20, 20], [20, 20]]),
        skipped=(Skipped("x", "empty"), Skipped("y", "empty"), Skipped("z", "damaged")),
        notes=("one",),
    )
    role = np.array(["train", "train", "validation", "test", "train", "validation", "train"])
    summary = summarise(dataset, role)
    assert summary.images == 7
    assert summary.counts == {"train": (2, 1, 1), "validation": (1, 1, 0), "test": (1, 0, 0)}
    assert summary.sides[0] == Spread(10, 20, 30)
    assert summary.sides[1] == Spread(20, 20, 40)
    assert summary.imbalance == 2
    assert summary.skipped == {"empty": 2, "damaged": 1}
    assert summary.notes == (
        "one",
        "class b has 2 images: none in test",
        "class c has one image: it is used for training and is not evaluated",
    )


def test_the_summary_of_the_digits() -> None:
    dataset = digits()
    summary = summarise(dataset, np.full(len(dataset), "train"))
    assert (summary.source, summary.layout, summary.channels, summary.modes) == ("digits", "builtin", 1, {"grey": 1797})
    assert summary.counts["train"] == (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)


def test_a_note_says_when_a_crop_shows_little(labelled: Callable[..., Dataset]) -> None:
    wide = replace(labelled([0, 0, 0, 1, 1]), sizes=np.array([[30, 2000]] * 3 + [[30, 30]] * 2))
    remedy = "set data.fit to pad or stretch to keep all of it"
    assert cut_note(wide, (30, 30)) == f"a crop to 30 x 30 shows 2% of an image (median); {remedy}"
    assert cut_note(replace(wide, fit="pad"), (30, 30)) == cut_note(replace(wide, fit="stretch"), (30, 30)) == ""
    name = wide.classes[1]
    one_class = replace(wide, sizes=np.array([[30, 40]] * 3 + [[30, 80]] * 2))
    assert (
        cut_note(one_class, (30, 30)) == f"a crop to 30 x 30 shows 38% of an image of class {name} (median); {remedy}"
    )
    assert cut_note(replace(wide, sizes=np.array([[30, 40]] * 5)), (30, 30)) == ""

"""Checks of the classes of a dataset."""

from collections.abc import Callable

import numpy as np
import pytest

from convscope.datasets.class_checks import drop_unreadable
from convscope.datasets.dataset import Dataset, Skipped
from convscope.errors import DataError

Labelled = Callable[..., Dataset]


def test_without_unreadable_images_a_dataset_is_unchanged(labelled: Labelled) -> None:
    dataset = labelled([0, 1])
    assert drop_unreadable(dataset, {}) is dataset


def test_unreadable_images_are_listed_and_a_class_without_images_is_removed(labelled: Labelled) -> None:
    dataset = labelled([0, 1, 2, 2, 0])
    left = drop_unreadable(dataset, {4: "cut", 1: "empty"})
    assert left.names == ("0000", "0002", "0003")
    assert left.classes == ("a", "c")
    assert left.targets.tolist() == [0, 1, 1]
    assert left.targets.dtype == np.int64
    assert left.skipped == (Skipped("0001", "empty"), Skipped("0004", "cut"))
    assert left.notes == ("class b is skipped: none of its files can be read",)


@pytest.mark.parametrize(
    ("unreadable", "message"),
    [
        ({0: "x", 1: "y"}, "made: one class only, b; all 2 files of a are skipped, such as 0000: x"),
        ({2: "cut short"}, "made: one class only, a; the one file of b is skipped, such as 0002: cut short"),
        ({0: "x", 1: "x", 2: "x"}, "made: none of its 3 image files can be read; copy them again"),
    ],
)
def test_too_few_readable_images_are_rejected(labelled: Labelled, unreadable: dict[int, str], message: str) -> None:
    with pytest.raises(DataError) as raised:
        drop_unreadable(labelled([0, 0, 1]), unreadable)
    assert str(raised.value) == message


def test_a_class_that_train_loses_is_rejected(labelled: Labelled) -> None:
    dataset = labelled([0, 1, 1, 2, 2], splits=["train", "train", "test", "train", "train"])
    with pytest.raises(DataError) as raised:
        drop_unreadable(dataset, {1: "x"})
    assert str(raised.value) == (
        "made: test has a class that is not in train, b, which cannot be learned; "
        "add such images to train or remove them from test"
    )

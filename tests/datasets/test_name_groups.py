"""Groups from the names of files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets import Dataset
from convscope.datasets.name_groups import group_by_name
from convscope.datasets.split import split
from convscope.errors import ConfigError
from convscope.layouts import open_data


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    for number in range(24):
        file = tmp_path / "ab"[number % 2] / f"{'xyz'[number // 2 % 3]}-{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8), 10 * number).save(file)
    return open_data(tmp_path)


def test_the_part_in_brackets_is_the_group_and_never_crosses_splits(data: Dataset) -> None:
    found = group_by_name(replace(data, notes=("mixed; --group 'x' helps",)), r"/(.)-")
    assert found.groups is not None
    assert [str(group) for group in found.groups] == [name[2] for name in found.names]
    assert found.notes == ("the names give 3 groups, x, y, z: each stays in one split",)
    assigned = split(found, seed=3).split
    for group in "xyz":
        assert len(set(assigned[found.groups == group])) == 1
    assert len(set(assigned)) > 1


def test_names_without_the_pattern_are_alone(data: Dataset) -> None:
    found = group_by_name(data, "x-|y-")
    assert set(np.asarray(found.groups)) == {"x-", "y-", ""}
    assert found.notes[-1] == (
        "the names give 2 groups, x-, y-: each stays in one split; the 8 names without it are groups of their own"
    )


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "speaker",
            "data.group is 'speaker', which is in no name, such as a/x-0.png; give a regular expression, such as "
            "_(.+)_ for the middle of 7_jackson_32.wav",
        ),
        ("png", "data.group is 'png', which is png in all names; choose another part of them"),
    ],
)
def test_patterns_that_group_nothing_are_refused(data: Dataset, pattern: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        group_by_name(data, pattern)
    assert str(caught.value) == message

"""Tables of several labels and of numbers."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts.recognise import open_data
from convscope.layouts.tables.columns import Columns
from convscope.layouts.tables.table import read_table

Save = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path, save: Save) -> Callable[[str], Path]:
    for name in "1234":
        save(tmp_path / f"{name}.png")

    def write(text: str) -> Path:
        (tmp_path / "list.csv").write_text(text)
        return tmp_path / "list.csv"

    return write


def test_columns_of_zeros_and_ones_are_labels_and_a_blank_is_unknown(table: Callable[[str], Path]) -> None:
    dataset = read_table(table("file,red,blue,split\n1.png,1,0,train\n2.png,,1,train\n3.png,1,1,val\n"))
    assert (dataset.target_kind, dataset.classes) == ("labels", ("red", "blue"))
    np.testing.assert_equal(dataset.targets, np.array([[1, 0], [math.nan, 1], [1, 1]], np.float32))
    assert dataset.splits.tolist() == ["train", "train", "validation"]


@pytest.mark.parametrize("mark", ["|", ";", ","])
def test_one_column_of_several_labels(table: Callable[[str], Path], mark: str) -> None:
    dataset = read_table(table(f"file\tlabels\n1.png\tred{mark} blue\n2.png\tblue\n3.png\tred\n4.png\tred{mark}blue\n"))
    assert (dataset.target_kind, dataset.classes) == ("labels", ("blue", "red"))
    assert dataset.targets.tolist() == [[1, 1], [1, 0], [0, 1], [1, 1]]


def test_single_labels_are_classes_unless_labels_are_requested(table: Callable[[str], Path]) -> None:
    path = table("file,label\n1.png,a\n2.png,b\n3.png,a\n")
    assert read_table(path).target_kind == "classes"
    found = open_data(path, target_kind="labels")
    assert (found.target_kind, found.targets.tolist()) == ("labels", [[1, 0], [0, 1], [1, 0]])


def test_a_column_with_fractions_is_a_number_and_whole_numbers_are_classes_unless_asked(
    table: Callable[[str], Path],
) -> None:
    dataset = read_table(table("file,y\n1.png,1.5\n2.png,2\n3.png,-3e1\n"))
    assert (dataset.target_kind, dataset.classes, dataset.targets.tolist()) == ("numbers", ("y",), [[1.5], [2], [-30]])
    path = table("file,y\n1.png,1\n2.png,2\n3.png,1\n")
    assert read_table(path).target_kind == "classes"
    assert read_table(path, target_kind="numbers").targets.tolist() == [[1], [2], [1]]


def test_several_numbers_and_a_choice_of_columns(table: Callable[[str], Path]) -> None:
    path = table("file,age,height,who\n1.png,1.5,10,x\n2.png,2,20,y\n")
    assert read_table(path).classes == ("age", "height")
    assert read_table(path, Columns(label="height"), "numbers").classes == ("height",)
    assert read_table(path, Columns(label="height, age"), "numbers").classes == ("age", "height")


def test_images_with_a_missing_number_are_skipped(table: Callable[[str], Path]) -> None:
    dataset = read_table(table("file,y\n1.png,1.5\n2.png,\n3.png,nan\n4.png,2\nlost.png,3\n"))
    assert dataset.skipped == (
        Skipped("2.png", "a number is missing or not finite"),
        Skipped("3.png", "a number is missing or not finite"),
        Skipped("lost.png", "no such file"),
    )


def test_images_with_contradicting_rows_are_skipped(table: Callable[[str], Path]) -> None:
    dataset = read_table(table("file,y\n1.png,1.5\n1.png,2.5\n2.png,3.5\n2.png,3.5\n"))
    assert dataset.skipped == (Skipped("1.png", "rows disagree, row 2: 1.5, row 3: 2.5"),)
    assert dataset.targets.tolist() == [[3.5]]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("numbers", "no column of numbers among who; set the label column"),
        ("boxes", "no columns of boxes among who; name them xmin, ymin, xmax, ymax or x, y, w, h"),
    ],
)
def test_missing_columns_are_an_error(table: Callable[[str], Path], kind: str, message: str) -> None:
    path = table("file,who\n1.png,x\n2.png,y\n")
    with pytest.raises(DataError) as caught:
        read_table(path, target_kind=kind)
    assert str(caught.value) == f"{path}: {message}"


def test_a_table_of_masks_and_a_folder_of_numbers_do_not_exist(
    table: Callable[[str], Path], tmp_path: Path, save: Save
) -> None:
    path = table("file,who\n1.png,x\n2.png,y\n")
    with pytest.raises(DataError) as caught:
        open_data(path, target_kind="masks")
    assert str(caught.value) == f"{path}: no column of mask files; name it mask, and put the files beside the table"
    folder = tmp_path / "classes"
    save(folder / "a" / "1.png")
    save(folder / "b" / "1.png")
    with pytest.raises(DataError) as caught:
        open_data(folder, target_kind="numbers")
    assert str(caught.value) == (f"{folder}: holds classes, not numbers; give data that do, or choose another task")
    assert open_data(folder, target_kind="labels").targets.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("kind", ["classes", "labels", "numbers", "masks", "boxes"])
def test_the_drawn_shapes_are_of_every_kind(kind: str) -> None:
    from convscope.layouts.builtin import shapes

    dataset = shapes(20, target_kind=kind)
    assert dataset.target_kind == kind
    assert len(dataset.targets) == 20
    assert dataset.counts(np.ones(20, bool)).shape == (len(dataset.classes),)
    strata, count = dataset.strata()
    assert strata.shape == (20,)
    assert strata.max() < count
    assert len(dataset.subset(np.arange(5)).targets) == 5

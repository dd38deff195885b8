"""The data table: every row is compared in full."""

import doctest

import pytest

from convscope.reports import data_table
from convscope.reports.data_table import class_table, data_rows, remark_rows, skipped_sentences


def fields(**changes):
    """The fields of 100 images of two classes."""
    classes = [
        {"name": "cat", "images": 75, "train": 60, "validation": 8, "test": 7},
        {"name": "dog", "images": 25, "train": 20, "validation": 2, "test": 3},
    ]
    return {
        "source": "/photos", "layout": "folder", "because": "its subfolders are classes", "task": "classify",
        "target_kind": "classes",
        "input_kind": "image", "images": 100, "classes": classes, "imbalance": 3.0,
        "splits": {"train": 80, "validation": 10, "test": 10, "from": "cut", "cut": ["validation", "test"], "seed": 4},
        "size": {"height": {"min": 20, "median": 30, "max": 41}, "width": {"min": 50, "median": 50, "max": 50}},
        "channels": 3, "modes": {"RGB": 99, "grey": 1}, "input": {"size": [32, 48], "channels": 3},
        "pixels": "in memory", "skipped": [], "notes": [], **changes,
    }  # fmt: skip


def test_every_row():
    assert data_rows(fields()) == [
        ("source", "/photos"),
        ("layout", "folder, because its subfolders are classes"),
        ("task", "classify"),
        ("images", "100: 80 train, 10 validation, 10 test"),
        (
            "split",
            "validation and test cut from train with seed 4; change it with --set seed, data.validation, data.test",
        ),
        ("sizes (height x width)", "20 to 41 (median 30) x 50"),
        ("image modes", "99 RGB, 1 grey"),
        ("classes", "2, 25 to 75 images each"),
        ("imbalance", "3.0 times as many images in the largest class as in the smallest"),
        ("network input", "32 x 48, 3 channels"),
        ("pixels", "in memory"),
    ]


@pytest.mark.parametrize(
    ("cut", "sentence"),
    [
        ([], "as the data define it"),
        (["test"], "as the data define it; test cut from train with seed 4; change it with --set seed, data.test"),
    ],
)
def test_a_split_of_the_data_is_said(cut, sentence):
    splits = fields()["splits"] | {"from": "data", "cut": cut}
    assert dict(data_rows(fields(splits=splits)))["split"] == sentence


def test_pixels_that_are_not_decoded_are_said():
    assert dict(data_rows(fields(pixels=None)))["pixels"] == (
        "not decoded: damaged files and copies are found with --pixels, and when training starts"
    )


def test_the_table_of_classes():
    assert class_table(fields()) == [
        ("class", "images", "train", "validation", "test"),
        ("cat", "75", "60", "8", "7"),
        ("dog", "25", "20", "2", "3"),
    ]


def test_a_split_without_images_has_no_column():
    splits = fields()["splits"] | {"test": 0}
    assert class_table(fields(splits=splits))[0] == ("class", "images", "train", "validation")


def test_of_many_classes_the_largest_and_the_smallest_are_shown():
    classes = [{"name": f"c{i}", "images": 1000 + i, "train": i, "validation": 0, "test": 0} for i in range(50)]
    rows = class_table(fields(classes=classes))
    assert [row[0] if row else "" for row in rows] == [
        "class", *(f"c{i}" for i in range(49, 39, -1)), "", *(f"c{i}" for i in range(9, -1, -1)),
    ]  # fmt: skip
    assert rows[1][1] == "1,049"


def test_figures_of_the_targets_are_columns():
    counts = {"images": 9, "train": 7, "validation": 1, "test": 1}
    numbers = [{"name": "age", **counts, "min": 0.5, "mean": 41, "max": None}]
    assert class_table(fields(target_kind="numbers", classes=numbers)) == [
        ("number", "images", "train", "validation", "test", "min", "mean", "max"),
        ("age", "9", "7", "1", "1", "0.5", "41", "unknown"),
    ]
    masks = [{"name": "road", **counts, "pixel_share": 0.125}]
    assert class_table(fields(target_kind="masks", classes=masks))[1][-1] == "12.5 %"
    assert class_table(fields(target_kind="masks", classes=masks))[0][-1] == "pixel share"
    assert dict(data_rows(fields(target_kind="numbers", classes=numbers)))["number"] == "1, 9 images"


def test_skipped_files_are_grouped_by_reason():
    files = [{"name": f"{i}.png", "why": "the file is empty"} for i in range(7)]
    boxes = [{"name": f"b{i}.png", "why": f"its box {i} 4 {i} 9.5 has no area"} for i in range(2)]
    assert skipped_sentences([{"name": "x.png", "why": "damaged"}, *boxes, *files]) == [
        "7 files, 0.png, 1.png, 2.png and 4 more: the file is empty",
        "2 files, b0.png, b1.png: its box 0 4 0 9.5 has no area (the first; the others differ in the numbers)",
        "1 file, x.png: damaged",
    ]


def test_of_many_reasons_the_most_frequent_are_shown():
    files = [{"name": f"{i}.png", "why": f"reason {'x' * i}"} for i in range(11)]
    sentences = skipped_sentences([*files, {"name": "y.png", "why": "reason xxxxxxxxxx"}])
    assert len(sentences) == 9
    assert sentences[0] == "2 files, 10.png, y.png: reason xxxxxxxxxx"
    assert sentences[-1] == "3 files for 3 other reasons; --json lists all"


def test_names_from_files_are_printable():
    classes = [{"name": "a\x1b[2J", "images": 1, "train": 1, "validation": 0, "test": 0}]
    shown = fields(
        source="/a\nb", classes=classes, notes=["\u202egnp.exe"], skipped=[{"name": "caf\udce9.png", "why": "empty"}]
    )
    assert data_rows(shown)[0] == ("source", "/a\\nb")
    assert class_table(shown)[1][0] == "a\\x1b[2J"
    assert remark_rows(shown) == [("skipped", "1 file, caf\\udce9.png: empty"), ("note", "\\u202egnp.exe")]


def test_the_examples_in_the_docstrings_are_correct():
    assert doctest.testmod(data_table).failed == 0

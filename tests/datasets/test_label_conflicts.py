"""Copies of one image with different labels."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from convscope.datasets import build_store, conflict_note, find_duplicates
from convscope.datasets.dataset import Dataset
from convscope.datasets.label_conflicts import label_conflicts
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]


def conflicts_of(dataset: Dataset) -> list[tuple[int, int]]:
    store = build_store(dataset, (8, 8))
    return label_conflicts(dataset, find_duplicates(store.pixels, store.readable))


def test_copies_with_different_labels_are_named(tmp_path: Path, save: Save) -> None:
    for label, first in (("cat", 0), ("dog", 50)):
        for i in range(8):
            save(tmp_path / label / f"{i}.png", first + i)
    shutil.copy(tmp_path / "cat" / "0.png", tmp_path / "dog" / "same0.png")
    dataset = open_data(tmp_path)
    assert conflict_note(dataset, conflicts_of(dataset)) == (
        "the same image is labelled cat (cat/0.png) and dog (dog/same0.png) (1 pair); "
        "remove the copy with the wrong label of each pair"
    )
    for i in range(1, 4):
        shutil.copy(tmp_path / "cat" / f"{i}.png", tmp_path / "dog" / f"same{i}.png")
    shutil.copy(tmp_path / "cat" / "5.png", tmp_path / "cat" / "again.png")
    Image.open(tmp_path / "cat" / "7.png").save(tmp_path / "dog" / "saved_again.png", compress_level=1)
    dataset = open_data(tmp_path)
    assert conflict_note(dataset, conflicts_of(dataset)) == (
        "the same image is labelled cat (cat/0.png) and dog (dog/same0.png); cat (cat/1.png) and dog (dog/same1.png); "
        "cat (cat/2.png) and dog (dog/same2.png); and 2 more (5 pairs); "
        "remove the copy with the wrong label of each pair"
    )


def test_images_that_differ_only_outside_the_input_are_no_copies(tmp_path: Path) -> None:
    """Long images whose middles are blank: equal at the network's size, not in their files."""
    for label, level in (("left", 200), ("right", 90)):
        (tmp_path / label).mkdir()
        for i in range(3):
            pixels = np.full((10, 200, 3), 128, np.uint8)
            pixels[:, :20] = level + i
            Image.fromarray(pixels).save(tmp_path / label / f"{i}.png")
    assert conflicts_of(open_data(tmp_path)) == []


def test_numbers_and_labels_of_copies_are_compared_too(tmp_path: Path, save: Save) -> None:
    for i in range(6):
        save(tmp_path / f"{i}.png", i)
    shutil.copy(tmp_path / "0.png", tmp_path / "6.png")
    shutil.copy(tmp_path / "1.png", tmp_path / "7.png")
    ages = "".join(f"{i}.png,{age}\n" for i, age in enumerate((30.5, 7, 8, 9, 10, 11, 31.5, 7)))
    (tmp_path / "ages.csv").write_text("image,age\n" + ages)
    dataset = open_data(tmp_path / "ages.csv")
    assert conflict_note(dataset, conflicts_of(dataset)) == (
        "the same image is labelled 30.5 (0.png) and 31.5 (6.png) (1 pair); "
        "remove the copy with the wrong label of each pair"
    )

"""Class folders with the split in text files beside them, as Food-101 and CUB-200 are published."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.datasets.dataset import Dataset, Skipped
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, save: Save) -> Path:
    for label in ("pie", "tea time"):
        for i in range(3):
            save(tmp_path / "images" / label / f"{i}.jpg", 10 * len(label) + i)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def splits_of(dataset: Dataset) -> dict[str, str]:
    return dict(zip((name.removeprefix("images/") for name in dataset.names), dataset.splits.tolist(), strict=True))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("pie/0\npie/1\ntea time/0\n", "pie/2\ntea time/1\ntea time/2\n"),
        ("images/pie/0.jpg\nimages/pie/1.jpg\n./images/tea time/0.jpg", "pie/2.jpg\ntea time/1.jpg\ntea time/2.jpg"),
    ],
)
def test_lists_of_the_images_are_the_split(folder: Path, train: str, test: str) -> None:
    write(folder / "meta" / "train.txt", train)
    write(folder / "meta" / "test.txt", test)
    dataset = open_data(folder)
    assert (dataset.layout, dataset.classes) == ("folder", ("pie", "tea time"))
    assert splits_of(dataset) == {
        "pie/0.jpg": "train",
        "pie/1.jpg": "train",
        "pie/2.jpg": "test",
        "tea time/0.jpg": "train",
        "tea time/1.jpg": "test",
        "tea time/2.jpg": "test",
    }
    assert dataset.notes[-1] == "the split is read from meta/test.txt (test), meta/train.txt (train)"


def test_labels_after_the_names_are_ignored_and_images_in_no_list_are_skipped(tmp_path: Path, save: Save) -> None:
    for name in ("cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png", "dog/2.png"):
        save(tmp_path / name)
    write(tmp_path / "train_list.txt", "cat/0.png 0\ndog/0.png 1\n")
    write(tmp_path / "val_list.txt", "cat/1.png 0\ndog/2.png 1\n")
    dataset = open_data(tmp_path)
    assert splits_of(dataset) == {
        "cat/0.png": "train",
        "cat/1.png": "validation",
        "dog/0.png": "train",
        "dog/2.png": "validation",
    }
    assert dataset.skipped == (Skipped("dog/1.png", "is in none of the lists of the splits"),)


def test_numbers_and_flags_of_cub_are_the_split(folder: Path) -> None:
    write(folder / "images.txt", "1 pie/0.jpg\n2 pie/1.jpg\n3 pie/2.jpg\n4 tea time/0.jpg\n5 tea time/1.jpg\n")
    write(folder / "train_test_split.txt", "1 1\n2 0\n3 1\n4 1\n5 0\n")
    dataset = open_data(folder)
    assert splits_of(dataset) == {
        "pie/0.jpg": "train",
        "pie/1.jpg": "test",
        "pie/2.jpg": "train",
        "tea time/0.jpg": "train",
        "tea time/1.jpg": "test",
    }
    assert dataset.skipped == (Skipped("images/tea time/2.jpg", "is in none of the lists of the splits"),)
    assert dataset.notes[-1] == "the split is read from train_test_split.txt (train), train_test_split.txt (test)"


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("pie/0\ntea time/0\n", "pie/0\ntea time/1\n"),
        ("pie/0\ntea time/0\n", "cake/0\ncake/1\n"),
        ("pie/0\ntea time/0\n", ""),
        ("the training was done\non a weekend\n", "pie/0\n"),
    ],
)
def test_lists_of_other_things_or_that_overlap_are_no_split(folder: Path, train: str, test: str) -> None:
    write(folder / "train.txt", train)
    write(folder / "test.txt", test)
    dataset = open_data(folder)
    assert len(dataset) == 6
    assert set(dataset.splits.tolist()) == {""}


def test_names_of_several_words_in_one_are_splits(folder: Path) -> None:
    write(folder / "TrainImages.txt", "pie/0.jpg\npie/1.jpg\ntea time/0.jpg\n")
    write(folder / "TestImages.txt", "pie/2.jpg\ntea time/1.jpg\n")
    dataset = open_data(folder)
    assert splits_of(dataset)["pie/2.jpg"] == "test"
    assert dataset.skipped == (Skipped("images/tea time/2.jpg", "is in none of the lists of the splits"),)


def test_lists_of_several_divisions_are_named_and_not_used(folder: Path) -> None:
    for number, (train, test) in enumerate((("pie/0.jpg\n", "pie/1.jpg\n"), ("pie/1.jpg\n", "pie/0.jpg\n")), start=1):
        write(folder / "labels" / f"train{number}.txt", train)
        write(folder / "labels" / f"test{number}.txt", test)
    dataset = open_data(folder)
    assert set(dataset.splits) == {""}
    assert dataset.notes[-1] == (
        "the lists of splits are not used, because images/pie/0.jpg is in labels/test2.txt and in labels/train1.txt; "
        "leave one list for each split"
    )


def test_a_name_alone_is_enough_where_no_other_image_has_it_and_trainval_is_for_training(
    tmp_path: Path, save: Save
) -> None:
    for name in ("cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png", "dog/4.png"):
        save(tmp_path / name)
    write(tmp_path / "trainval.txt", "0\n2.png\n4\n")
    write(tmp_path / "test.txt", "1.png\n3\n")
    assert open_data(tmp_path).splits.tolist() == ["train", "test", "train", "test", "train"]
    write(tmp_path / "train.txt", "0\n2\n")
    write(tmp_path / "val.txt", "4\n")
    assert open_data(tmp_path).splits.tolist() == ["train", "test", "train", "test", "validation"]

"""Counts of class folders as `convscope data` gives them: rare, single and numbered classes, files of systems."""

from collections.abc import Callable
from pathlib import Path

import pytest

import convscope as cs
from convscope.errors import DataError

Save = Callable[..., Path]


def counts(folder: Path) -> tuple[dict[str, int], tuple[int, int, int]]:
    """The images of each class, and the images of train, validation and test."""
    found = cs.data(folder).to_dict()
    splits = tuple(found["splits"][name] for name in ("train", "validation", "test"))
    return {one["name"]: one["images"] for one in found["classes"]}, splits


@pytest.mark.slow
def test_a_rare_class_has_an_image_in_each_split(tmp_path: Path, save: Save) -> None:
    for label, count in (("ok", 150), ("defect", 3)):
        for number in range(count):
            save(tmp_path / label / f"{number}.png", number + (label == "ok") * 1_000, size=(10, 8))
    assert counts(tmp_path) == ({"defect": 3, "ok": 150}, (121, 16, 16))
    assert cs.data(tmp_path).dataset.classes == ("defect", "ok")


def test_classes_of_one_image_each_leave_none_to_validate_with(tmp_path: Path, save: Save) -> None:
    for number in range(12):
        save(tmp_path / f"c{number}" / "0.png", number)
    with pytest.raises(DataError) as error:
        cs.data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: 12 images in 12 classes leave none for validation, because each class has one image or all "
        "images belong to one group; add images"
    )


def test_numbered_folders_beside_files_of_systems(tmp_path: Path, save: Save) -> None:
    numbers = (1, 2, 3, 10, 11, 20, 100)
    for label in numbers:
        for number in range(6):
            save(tmp_path / str(label) / f"{number}.png", 10 * label + number)
    for name in ("1/Thumbs.db", ".DS_Store", "__MACOSX/1/._0.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    save(tmp_path / ".ipynb_checkpoints" / "a.png")
    found, splits = counts(tmp_path)
    assert list(found.items()) == [(str(label), 6) for label in numbers]
    assert splits == (34, 4, 4)


def test_a_class_called_train_beside_others_in_a_folder_of_that_name(tmp_path: Path, save: Save) -> None:
    for split, count in (("Train", 6), ("Test", 2)):
        for place, label in enumerate(("car", "train", "test")):
            for number in range(count):
                save(tmp_path / split / label / f"{number}.png", 100 * place + number + 10 * count)
    assert counts(tmp_path) == ({"car": 8, "test": 8, "train": 8}, (15, 3, 6))


def test_long_images_are_shown_whole(tmp_path: Path, save: Save) -> None:
    for place, label in enumerate(("invoice", "letter")):
        for number in range(8):
            save(tmp_path / label / f"{number}.png", 10 * place + number, "L", size=(2_000, 30))
    found = cs.data(tmp_path).to_dict()
    assert [found["size"][side]["median"] for side in ("height", "width")] == [30, 2_000]
    assert found["channels"] == 1

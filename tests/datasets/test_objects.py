"""Data given as objects: arrays, datasets as torchvision has them, datasets of Hugging Face, and mappings of splits."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.datasets import source_of
from convscope.datasets.store.cache import default_folder
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.array_files import pixels

LABELS = np.arange(12) % 3


class Items:
    """A dataset as torchvision has it."""

    classes = ("cat", "dog", "owl")

    def __init__(self, images: list) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int):
        return self.images[index], int(LABELS[index])


class Rows:
    """A dataset of Hugging Face."""

    def __init__(self, features: dict, rows: list[dict]) -> None:
        self.features, self.rows = features, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict:
        return self.rows[index]


class ClassLabel:
    names = ("cat", "dog", "owl")


def note(source: str, what: str) -> str:
    return f"the data were given as an object ({what}); runs read the copy {source}, so keep it to use them again"


@pytest.mark.parametrize("of", [np.asarray, torch.tensor, lambda x: x.tolist()])
def test_arrays_tensors_and_lists(of) -> None:
    source = source_of((of(pixels()), of(LABELS)))
    dataset = open_data(source)
    assert np.array_equal(dataset.images[..., 0], pixels())
    assert (dataset.classes, dataset.targets.tolist()) == (("0", "1", "2"), LABELS.tolist())
    assert dataset.notes == (note(source, "tuple"),)
    assert Path(source).parent == default_folder()
    assert source_of((of(pixels()), of(LABELS))) == source


def test_names_and_paths_stay_as_they_are(tmp_path: Path) -> None:
    assert (source_of("digits"), source_of(tmp_path)) == ("digits", str(tmp_path))


@pytest.mark.parametrize(
    "of",
    [
        Image.fromarray,
        lambda x: torch.tensor(x)[None] / 255,
        lambda x: x[..., None],
        lambda x: {"bytes": _png(x), "path": None},
    ],
)
def test_items_are_pictures_tensors_arrays_or_files(of) -> None:
    dataset = open_data(source_of(Items([of(image) for image in pixels()])))
    assert dataset.classes == ("cat", "dog", "owl")
    assert dataset.targets.tolist() == LABELS.tolist()
    assert np.array_equal(dataset.images[..., 0], pixels())


def _png(image: np.ndarray) -> bytes:
    import io

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_pictures_of_several_sizes_become_files() -> None:
    images = [Image.fromarray(image).resize((5 + i, 6)) for i, image in enumerate(pixels())]
    source = source_of({"train": Items(images), "test": Items(images[:6])})
    dataset = open_data(source)
    assert (len(dataset), dataset.classes) == (18, ("cat", "dog", "owl"))
    assert sorted(dataset.splits.tolist()) == ["test"] * 6 + ["train"] * 12
    by_name = dict(zip(dataset.names, dataset.sizes.tolist(), strict=True))
    assert by_name["train/000004.png"] == [6, 9]


def test_files_are_read_where_they_lie(tmp_path: Path) -> None:
    class ImageFolder(Items):
        transform = str

        def __init__(self, samples: list) -> None:
            self.samples = samples

        def __len__(self) -> int:
            return len(self.samples)

    samples = []
    for i, image in enumerate(pixels()):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
        samples.append((str(tmp_path / f"{i}.png"), int(LABELS[i])))
    dataset = open_data(source_of(ImageFolder(samples)))
    assert sorted(dataset.images) == sorted(tmp_path / f"{i}.png" for i in range(12))
    assert dataset.classes == ("cat", "dog", "owl")
    assert dataset.notes[-2] == "the transform of the object is not applied: its image files are read as they are"


def test_datasets_of_hugging_face() -> None:
    rows = [{"image": Image.fromarray(x), "label": int(y), "id": 3} for x, y in zip(pixels(), LABELS, strict=True)]
    features = {"image": object(), "label": ClassLabel(), "id": object()}
    data = {"train": Rows(features, rows), "validation": Rows(features, rows[:6])}
    source = source_of(data)
    dataset = open_data(source)
    assert (dataset.classes, len(dataset)) == (("cat", "dog", "owl"), 18)
    assert dataset.splits.tolist() == ["train"] * 12 + ["validation"] * 6
    assert dataset.notes == ("columns id are not used", note(source, "Rows"))


def test_pairs_for_training_and_test() -> None:
    dataset = open_data(source_of(((pixels(), LABELS), (pixels()[:6], LABELS[:6]))))
    assert dataset.splits.tolist() == ["train"] * 12 + ["test"] * 6


def test_a_lost_copy_is_named() -> None:
    source = source_of((pixels(), LABELS))
    shutil.rmtree(default_folder())
    with pytest.raises(DataError) as caught:
        open_data(source)
    assert str(caught.value) == (
        f"{source}: the copy of an object that was given to train or data, deleted since; give the object again"
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (7, "an object of type int; give (images, labels) arrays, or an object whose items are (image, target)"),
        (
            (pixels(), LABELS[:5]),
            "images of the shape (12, 6, 8) and labels of the shape (5,); give (N, H, W) or (N, H, W, C) images and N "
            "labels",
        ),
        ({"one": (pixels(), LABELS)}, "a mapping with one; name its parts train, validation, test"),
        (Items([]), "have no items; give at least one image per class"),
        (
            Items(["text", object()]),
            "an array of Python objects; give (images, labels) arrays, or an object whose items are (image, target)",
        ),
        (Rows({"text": 1}, [{"text": "a"}]), "columns text; name them image and label"),
    ],
)
def test_other_objects_are_named(data: object, why: str) -> None:
    with pytest.raises(DataError) as caught:
        source_of(data)
    assert str(caught.value) == f"the data: {why}"

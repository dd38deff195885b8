"""Folders of images and masks: pairing, mask values and skipped files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.dataset import Skipped
from convscope.datasets.store.mask_store import build_masks
from convscope.datasets.targets.mask_files import COLOUR, IGNORE, MaskFile, Palette, fit_mask, read_mask
from convscope.errors import DataError
from convscope.layouts.masks.mask_folders import read_masks
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]


def mask(path: Path, values: list[list[int]] | np.ndarray, mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(values, np.uint8))
    if mode == "P":
        image = image.convert("P")
        image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0] + [0] * 759)
    image.save(path)
    return path


def half(first: int, second: int, size: tuple[int, int] = (16, 20)) -> np.ndarray:
    values = np.full(size, first, np.uint8)
    values[:, size[1] // 2 :] = second
    return values


@pytest.fixture
def folder(tmp_path: Path, save: Save) -> Path:
    for name in "abc":
        save(tmp_path / "images" / f"{name}.jpg")
        mask(tmp_path / "masks" / f"{name}.png", half(0, 255))
    return tmp_path


def test_images_and_masks_of_the_same_name_are_a_pair_and_values_are_the_classes(folder: Path) -> None:
    dataset = open_data(folder)
    assert (dataset.target_kind, dataset.layout, dataset.classes) == ("masks", "masks", ("0", "255"))
    assert dataset.names == ("images/a.jpg", "images/b.jpg", "images/c.jpg")
    assert dataset.targets.tolist() == [[1, 1]] * 3
    masks, unreadable = build_masks(dataset, (16, 20))
    assert not unreadable
    assert masks[0].tolist() == half(0, 1).tolist()


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("train/images/{}.jpg", "train/masks/{}_mask.png"),
        ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"),
        ("train/{}.jpg", "trainannot/{}.png"),
        ("images/train/{}.jpg", "labels/train/{}.png"),
    ],
)
def test_the_usual_layouts_are_known(tmp_path: Path, save: Save, images: str, masks: str) -> None:
    for name in "ab":
        save(tmp_path / images.format(name))
        mask(tmp_path / masks.format(name), half(0, 1), "P")
    dataset = open_data(tmp_path)
    assert (dataset.layout, dataset.because) == ("masks", "2 of 2 images have a mask of the same name")
    assert len(dataset) == 2
    assert set(dataset.splits.tolist()) == ({"train"} if "train" in images else {""})


def test_vocs_split_is_used_and_its_border_can_be_ignored(tmp_path: Path, save: Save) -> None:
    for name in "ab":
        save(tmp_path / "JPEGImages" / f"{name}.jpg")
        mask(tmp_path / "SegmentationClass" / f"{name}.png", [[0] * 10 + [1] * 9 + [255]] * 16)
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Segmentation" / "train.txt").write_text("a\n")
    (tmp_path / "ImageSets" / "Segmentation" / "val.txt").write_text("b\n")
    dataset = open_data(tmp_path, ignore=255)
    assert dataset.classes == ("0", "1")
    assert dataset.splits.tolist() == ["train", "validation"]
    assert build_masks(dataset, (16, 20))[0][0, 0].tolist() == [0] * 10 + [1] * 9 + [IGNORE]
    detected = open_data(tmp_path)
    assert detected.classes == ("0", "1")
    assert detected.notes == (
        "the mask value 255 is read as unlabelled, because the other values are 0 to 1; set data.ignore to 256 to read "
        "it as a class",
    )
    assert open_data(tmp_path, ignore=256).classes == ("0", "1", "255")


def test_colours_are_classes_too(tmp_path: Path, save: Save) -> None:
    for name in "ab":
        save(tmp_path / "images" / f"{name}.png")
        values = np.zeros((16, 20, 3), np.uint8)
        values[:, 5:] = (255, 0, 0)
        values[:, 12:] = (0, 0, 128)
        mask(tmp_path / "masks" / f"{name}.png", values)
    dataset = read_masks(tmp_path)
    assert dataset.classes == ("000000", "000080", "ff0000")
    assert np.unique(build_masks(dataset, (16, 20))[0]).tolist() == [0, 1, 2]


def test_names_come_from_a_file(folder: Path) -> None:
    (folder / "classes.txt").write_text("ground\ncell\n")
    assert read_masks(folder).classes == ("ground", "cell")


def test_mismatched_files_are_named(folder: Path, save: Save) -> None:
    save(folder / "images" / "lone.jpg")
    save(folder / "images" / "large.jpg")
    mask(folder / "masks" / "large.png", half(0, 255, (32, 40)))
    save(folder / "images" / "photo.jpg")
    save(folder / "masks" / "photo.png", seed=3)
    save(folder / "images" / "broken.jpg")
    (folder / "masks" / "broken.png").write_bytes(b"no mask")
    assert read_masks(folder).skipped == (
        Skipped(
            "images/broken.jpg",
            "its mask broken.png cannot be used: not an image in a supported format; convert it to PNG or JPEG, "
            "or delete it",
        ),
        Skipped("images/large.jpg", "its mask is 32 x 40 and the image 16 x 20"),
        Skipped("images/lone.jpg", "has no mask of its name"),
        Skipped(
            "images/photo.jpg",
            "its mask photo.png has more than 64 values: an image, or a mask that lost its values in a JPEG "
            "or a resize",
        ),
    )


def test_a_class_outside_the_list_is_named(folder: Path, save: Save) -> None:
    for name in "abc":
        mask(folder / "masks" / f"{name}.png", half(0, 1))
    (folder / "classes.txt").write_text("ground\ncell\n")
    save(folder / "images" / "d.jpg")
    mask(folder / "masks" / "d.png", half(0, 7))
    assert read_masks(folder).skipped == (
        Skipped("images/d.jpg", "its mask d.png has the value 7, and there are 2 classes"),
    )


def test_masks_of_one_value_and_folders_without_pairs_are_rejected(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "images" / "a.jpg")
    with pytest.raises(DataError) as caught:
        read_masks(tmp_path)
    assert str(caught.value) == (f"{tmp_path}: no image has a mask of its name; put them in folders images and masks")
    mask(tmp_path / "masks" / "a.png", half(1, 1))
    with pytest.raises(DataError) as caught:
        read_masks(tmp_path)
    assert str(caught.value) == f"{tmp_path}: the masks hold the value 1 only; at least two classes are needed"


def test_class_folders_named_mask_and_no_mask_are_classes(tmp_path: Path, save: Save) -> None:
    for name in ("mask/1.png", "mask/2.png", "no_mask/1.png", "no_mask/2.png"):
        save(tmp_path / name)
    assert open_data(tmp_path).target_kind == "classes"


def test_a_mask_is_cropped_and_resized_like_its_image_without_interpolation() -> None:
    wide = half(0, 3, (10, 40))
    wide[:, :10] = 9  # cut off
    small = fit_mask(wide, (5, 10))
    assert small.tolist() == half(0, 3, (5, 10)).tolist()
    assert set(np.unique(fit_mask(np.random.default_rng(0).integers(0, 5, (33, 47), np.uint8), (20, 20)))) <= set(
        range(5)
    )


def test_a_palette_maps_colours_to_codes_in_any_order() -> None:
    palette = Palette((7, 2, 0xFF0000), 5, ((COLOUR + 0xFF0000, 0xFF0000),))
    assert palette.classes_of(np.array([[2, 7], [COLOUR + 0xFF0000, 5]])).tolist() == [[1, 0], [2, IGNORE]]
    assert palette.classes_of(np.array([[2, 7, 5, 0]], np.uint8)).tolist() == [[1, 0, IGNORE, IGNORE]]


def test_a_palette_png_is_read_by_its_indices(tmp_path: Path) -> None:
    path = mask(tmp_path / "m.png", half(0, 2), "P")
    assert np.unique(read_mask(MaskFile((path,)), Palette((0, 1, 2)))).tolist() == [0, 2]


def test_lists_of_names_split_masks_as_they_split_class_folders(folder: Path) -> None:
    (folder / "annotations").mkdir()
    (folder / "annotations" / "trainval.txt").write_text("a 1 1 1\nb 1 2 1\n")
    (folder / "annotations" / "test.txt").write_text("c 2 1 1\n")
    dataset = open_data(folder)
    assert dataset.splits.tolist() == ["train", "train", "test"]
    assert dataset.notes[-1] == "the split is read from annotations/test.txt (test), annotations/trainval.txt (train)"

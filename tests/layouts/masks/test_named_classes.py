"""A mask per class, whose class is in the name of the file or of its folder."""

from pathlib import Path

import numpy as np
import pytest

from convscope.datasets import build_masks
from convscope.errors import DataError
from convscope.layouts import open_data
from helpers.mask_folders import SIZE, block, write_image, write_mask

HIGHER = np.roll(block(255), -4, 0)
"""A block at 0, 5 that overlaps the lower one, at 4, 5, in two rows."""


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/{:04}.jpg", "masks/{:04}_{}.png"),
        ("images/{:04}.jpg", "masks/{1}_{0:04}.png"),
        ("images/{:04}.jpg", "masks/{1}/{0:04}.png"),
        ("images/{:04}.jpg", "masks/{:04}_{}_mask.png"),
        ("train/images/{:04}.jpg", "train/masks/{:04}_{}_1.png"),
        ("{:04}.jpg", "{:04}_{}.png"),
        ("a b {:04}.png", "a b {:04}-{}.png"),
    ],
)
def test_each_mask_has_the_class_in_its_name(tmp_path: Path, image: str, mask: str) -> None:
    for number in range(6):
        write_image(tmp_path / image.format(number), number)
        write_mask(tmp_path / mask.format(number, "Car"), HIGHER)
        if number % 2:
            write_mask(tmp_path / mask.format(number, "tree"), block(255))
    dataset = open_data(tmp_path)
    assert (dataset.classes, dataset.skipped) == (("background", "Car", "tree"), ())
    masks, unreadable = build_masks(dataset, SIZE)
    assert not unreadable
    for row, found in enumerate(dataset.names):
        number = int(found.rpartition(".")[0][-4:])
        wanted = np.where(HIGHER > 0, 1, 0)
        wanted = np.where(block(1) > 0, 2, wanted) if number % 2 else wanted
        assert (masks[row] == wanted).all()
        assert dataset.targets[row].tolist() == [1, 1, number % 2]
    assert any(
        note.startswith("the classes Car and tree are read from the names of the masks, such") for note in dataset.notes
    )


def test_masks_of_several_values_say_no_class_by_their_names(tmp_path: Path) -> None:
    for number in range(4):
        write_image(tmp_path / "images" / f"{number}.jpg", number)
        write_mask(tmp_path / "masks" / f"{number}_final.png", np.maximum(block(1), np.roll(block(2), 6, 0)))
    assert open_data(tmp_path).classes == ("0", "1", "2")
    write_mask(tmp_path / "masks" / "0_car.png", block(1))
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: names of masks say their classes (0_car.png is car of images/0.jpg), but they hold 3 values; "
        "save each as background and object, or one mask of all classes for each image"
    )


def test_photographs_called_like_others_are_no_masks(tmp_path: Path) -> None:
    for number in range(6):
        write_image(tmp_path / "cat" / f"{number}.png", number)
        write_image(tmp_path / "cat" / f"{number}_flipped.png", 10 + number)
        write_image(tmp_path / "dog" / f"{number}.png", 20 + number)
    assert open_data(tmp_path).classes == ("cat", "dog")


def test_nnu_net_numbers_the_channel_in_the_names_of_images(tmp_path: Path) -> None:
    for number in range(4):
        write_image(tmp_path / "imagesTr" / f"case_{number:03}_0000.png", number)
        write_mask(tmp_path / "labelsTr" / f"case_{number:03}.png", block(1))
    (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "liver": 1}}')
    dataset = open_data(tmp_path)
    assert (dataset.classes, len(dataset.names)) == (("background", "liver"), 4)
    (tmp_path / "dataset.json").write_text('{"labels": {"0": "background", "1": "spleen"}}')
    assert open_data(tmp_path).classes == ("background", "spleen")
    write_image(tmp_path / "imagesTr" / "case_000_0001.png")
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: imagesTr/case_000_0000.png and case_000_0001.png are channels of one image in several files, "
        "which are not joined; save each image as one TIFF or .npy file with all channels, or remove the others than "
        "_0000"
    )


def test_values_with_gaps_are_named(tmp_path: Path) -> None:
    for number in range(4):
        write_image(tmp_path / "images" / f"{number}.jpg", number)
        write_mask(tmp_path / "masks" / f"{number}.png", block(21, 7))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("7", "21")
    assert dataset.notes[0] == (
        "the mask values are 7, 21: each is a class of this name; classes.txt may name them in order"
    )

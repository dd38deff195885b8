"""Two folders of images and masks, under any names, are never learnt as two classes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.errors import DataError
from convscope.layouts.folders.class_folders import read_folder
from convscope.layouts.recognise import open_data
from helpers.mask_folders import write_image


def write(file: Path, number: int, values: int) -> None:
    """A PNG file of so many different values."""
    pixels = np.random.default_rng(number).integers(0, values, (16, 16)).astype(np.uint8) * (255 // max(values - 1, 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


@pytest.mark.parametrize("split", ["", "train/"])
@pytest.mark.parametrize(("images", "masks"), [("a_pictures", "targets"), ("y", "x")])
def test_folders_of_the_same_names_of_which_one_holds_masks_are_refused(tmp_path, images, masks, split) -> None:
    for number in range(6):
        write(tmp_path / f"{split}{images}" / f"{number}.png", number, 256)
        write(tmp_path / f"{split}{masks}" / f"{number}.png", number + 50, 2)
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: {images} and {masks} hold files of the same names, and those of {masks} have few values, as "
        "masks do; call the folders images and masks, or choose --layout folder if they are classes"
    )
    assert open_data(tmp_path, layout="folder").classes == tuple(sorted((images, masks)))


def test_folders_named_by_several_words_whose_masks_have_a_word_more_are_refused(tmp_path) -> None:
    for part in ("East", "West"):
        for number in range(6):
            write(tmp_path / f"Task1-2_{part}_Input" / f"ISIC_{part}{number}.png", number, 256)
            write(tmp_path / f"Task1_{part}_GroundTruth" / f"ISIC_{part}{number}_segmentation.png", number + 50, 2)
    with pytest.raises(DataError) as error:
        open_data(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: Task1-2_East_Input and Task1_East_GroundTruth hold files of the same names, and those of "
        "Task1_East_GroundTruth have few values, as masks do; call the folders images and masks, or choose "
        "--layout folder if they are classes"
    )


def test_colour_photographs_are_images_of_many_values(tmp_path) -> None:
    for number in range(6):
        write_image(tmp_path / "pictures" / f"{number}.jpg", number)
        write(tmp_path / "targets" / f"{number}.png", number + 50, 2)
    with pytest.raises(DataError, match="pictures and targets hold files of the same names"):
        open_data(tmp_path)


@pytest.mark.parametrize(("first", "second"), [(256, 256), (2, 2)])
def test_classes_whose_files_have_the_same_names_are_classes(tmp_path, first, second) -> None:
    for number in range(6):
        write(tmp_path / "cat" / f"{number}.png", number, first)
        write(tmp_path / "dog" / f"{number}.png", number + 50, second)
    assert open_data(tmp_path).classes == ("cat", "dog")


def test_drawings_beside_photographs_of_other_names_are_classes(tmp_path) -> None:
    for number in range(6):
        write(tmp_path / "photo" / f"p{number}.png", number, 256)
        write(tmp_path / "sketch" / f"s{number}.png", number + 50, 2)
    assert open_data(tmp_path).classes == ("photo", "sketch")
    assert read_folder(tmp_path).classes == ("photo", "sketch")

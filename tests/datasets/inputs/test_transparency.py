"""White pictures on transparency are seen: their background is not white."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.inputs.image import decode
from convscope.layouts import read_folder

PICTURE = np.zeros((6, 8), np.uint8)
PICTURE[2:4, 3:6] = 255


def icons(root: Path, greys: tuple[int, ...], picture: np.ndarray = PICTURE) -> Path:
    """Pictures of one grey each on transparency."""
    for number in range(8):
        pixels = np.dstack([np.full((*picture.shape, 3), greys[number % len(greys)], np.uint8), picture])
        file = root / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    return root


@pytest.mark.parametrize(
    ("greys", "background", "note"),
    [
        ((255,), 0, "black"),
        ((250, 250, 250, 0), 128, "grey"),
        ((0,), 255, ""),
        ((90, 200), 255, ""),
        ((255, 90), 255, ""),
    ],
)
def test_the_background_is_one_on_which_pictures_are_seen(tmp_path, greys, background, note) -> None:
    dataset = read_folder(icons(tmp_path, greys))
    pixels = decode(dataset.images[0], dataset.spec()).pixels
    assert dataset.background == background
    assert (pixels[:, PICTURE == 0] == background).all()
    assert (pixels[:, PICTURE > 0] == greys[0]).all()
    assert dataset.notes == ((
        f"the pictures of RGBA images are white on transparency: their background is made {note}, as nothing would be "
        "seen on white",
    ) if note else ())  # fmt: skip


def test_opaque_white_images_say_nothing_of_the_background(tmp_path) -> None:
    assert read_folder(icons(tmp_path, (255,), np.full((6, 8), 255, np.uint8))).background == 255

"""Boxes of annotated pictures on the upright file, by the size that the annotation gives."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.inputs.image import read_image
from convscope.datasets.targets.annotated_size import Drawing, drawing_of, to_upright

BOX = (3.0, 5.0, 11.0, 9.0)
SIZE = (24, 16)  # width and height as stored


def turned_photo(file: Path, orientation: int, ending: str) -> Path:
    """A black picture with the box in white, with an EXIF orientation."""
    pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    x1, y1, x2, y2 = map(int, BOX)
    pixels[y1:y2, x1:x2] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"compression": "tiff_lzw"} if ending == ".tif" else {}
    Image.fromarray(pixels).save(file.with_suffix(ending), exif=exif, **options)
    return file.with_suffix(ending)


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_drawn_on_the_stored_pixels_moves_with_the_picture(tmp_path: Path, orientation: int, ending: str) -> None:
    path = turned_photo(tmp_path / "a", orientation, ending)
    (header,) = read_headers([path])
    assert isinstance(header, Header)
    assert header.orientation == orientation
    box = to_upright(BOX, Drawing(SIZE, stored=True, certain=True, scaled=False), header)
    white = read_image(path, 1)[0] > 127
    rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
    assert box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def photo(orientation: int, width: int = 40, height: int = 60) -> Header:
    return Header(height, width, "RGB", False, False, orientation)


@pytest.mark.parametrize(
    ("file", "declared", "expected"),
    [
        (photo(6), (60, 40), Drawing((60, 40), True, True, False)),
        (photo(6), (40, 60), Drawing((40, 60), False, True, False)),
        (photo(1), (40, 60), Drawing((40, 60), False, True, False)),
        (photo(3), (40, 60), Drawing((40, 60), False, False, False)),
        (photo(8, 50, 50), (50, 50), Drawing((50, 50), False, False, False)),
        (photo(6), (120, 80), Drawing((120, 80), True, True, True)),
        (photo(1), (80, 120), Drawing((80, 120), False, True, True)),
        (photo(1, 640, 359), (1920, 1078), Drawing((1920, 1078), False, True, True)),
        (photo(6), None, Drawing((40, 60), False, False, False)),
        (photo(1), None, Drawing((40, 60), False, True, False)),
    ],
)
def test_the_declared_size_shows_what_boxes_were_drawn_on(
    file: Header, declared: tuple[float, float] | None, expected: Drawing
) -> None:
    assert drawing_of(file, declared) == expected


def test_a_box_of_a_resized_and_turned_picture_is_scaled_and_turned() -> None:
    assert to_upright((10, 40, 70, 76), Drawing((120, 80), True, True, True), photo(6)) == (2, 5, 20, 35)


@pytest.mark.parametrize("declared", [(60, 40), (40, 40), (41, 70)])
def test_another_size_is_rejected_with_both(declared: tuple[float, float]) -> None:
    assert drawing_of(photo(1), declared) == (
        f"its boxes were drawn on an image of {declared[1]} x {declared[0]} and the file is 60 x 40 (height x width)"
    )

"""The images that prove an exported form: files of the validation split, and others of unusual sizes."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.image import ImageSpec, decode
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.errors import DataError
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import open_source

LEAST = 200
SIZES = ((7, 5), (33, 120), (150, 41), (97, 97), (240, 320), (413, 271), (16, 500), (601, 602))
SPLITS = ("validation", "train")


def validation_images(run: RunFolder, most: int = LEAST) -> list[bytes]:
    """The contents of the first files of the validation split, then of the training split if there are fewer.

    Images that are no files of their own, such as arrays, are written as PNG, which keeps every pixel.

    Raises:
        DataError: the source is missing.
    """
    content = run.data()
    recipe = run.recipe()
    found = open_source(recipe.data, content.get("target_kind"), recipe.input)
    row_of = {name: row for row, name in enumerate(found.names)}
    names = [name for split in SPLITS for name in content["splits"][split] if name in row_of][:most]
    return [_encoded(found.images[row_of[name]]) for name in names]


def image_contents(files: Sequence[Path]) -> list[bytes]:
    """The contents of image files.

    Raises:
        DataError: one cannot be read.
    """
    try:
        return [file.read_bytes() for file in files]
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}); check the path") from None


def resized_images(images: Sequence[bytes], channels: int) -> list[bytes]:
    """PNG files of `SIZES`, tiled from the pixels of some images, so that the resizing is exercised in full."""
    if channels not in (1, 3):
        return []
    found = []
    for number, (height, width) in enumerate(SIZES):
        pixels = upright_pixels(images[number % len(images)], channels)
        repeats = -(-height // pixels.shape[0]), -(-width // pixels.shape[1]), 1
        found.append(_png(np.tile(pixels, repeats)[:height, :width]))
    return found


def upright_pixels(image: bytes, channels: int) -> NDArray[np.uint8]:
    """(H, W, C) of an encoded image at its full size, as any other program would decode it."""
    with quiet_pillow():
        return decode(io.BytesIO(image), ImageSpec(None, channels)).pixels.transpose(1, 2, 0)


def _encoded(image: Any) -> bytes:
    if isinstance(image, Path):
        return image.read_bytes()
    pixels = np.asarray(image)
    return _png(pixels.transpose(1, 2, 0) if pixels.shape[0] in (1, 3) and pixels.ndim == 3 else pixels)


def _png(pixels: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(file, "png")
    return file.getvalue()

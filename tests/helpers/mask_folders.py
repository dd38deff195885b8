"""Small folders of images and masks."""

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (16, 20)
"""Height and width of all images and masks."""


def write_image(path: Path, seed: int = 0, size: tuple[int, int] = SIZE, orientation: int = 1) -> Path:
    """An image of random blocks; `size` is (H, W) as stored."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    Image.fromarray(blocks).resize(size[::-1], Image.Resampling.BICUBIC).save(path, exif=exif)
    return path


def write_mask(path: Path, values: np.ndarray, palette: list[int] | None = None, **options: object) -> Path:
    """A mask file of (H, W) values, (H, W, 3) colours or (H, W, 4) colours and opacity."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette is not None:
        image.putpalette(palette)
    image.save(path, **options)
    return path


def block(value: int, background: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W) values: a block of 6 x 8 pixels at 4, 5 on a background."""
    values = np.full(size, background, np.uint8)
    values[4:10, 5:13] = value
    return values


def colours(values: np.ndarray, table: dict[int, tuple[int, ...]]) -> np.ndarray:
    """(H, W, C) the colour of each value."""
    found = np.zeros((*values.shape, len(next(iter(table.values())))), np.uint8)
    for value, colour in table.items():
        found[values == value] = colour
    return found

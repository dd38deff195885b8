"""Mask files: read class indices per pixel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.fitting import CROP, PAD, Fit, padded_content, visible_window
from convscope.datasets.inputs.opening import open_image, quiet_pillow

IGNORE = 255
"""The class index of unlabelled pixels."""


@dataclass(frozen=True)
class Palette:
    """The values of the classes in mask files: greys, palette indices, or 0xRRGGBB in colour files."""

    values: tuple[int, ...]
    ignore: int | None = None
    """The value of unlabelled pixels."""

    def classes_of(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Convert codes to class indices; codes that are not among the values become `IGNORE`."""
        values = np.array(sorted(self.values))
        index = np.searchsorted(values, codes).clip(max=len(values) - 1)
        order = np.argsort(np.array(self.values))
        return np.where(values[index] == codes, order[index], IGNORE).astype(np.uint8)


def read_mask(path: Path, palette: Palette, size: tuple[int, int] | None = None, how: Fit = CROP) -> NDArray[np.uint8]:
    """(H, W) class indices of a mask file, `IGNORE` for unlabelled pixels; at `size` as by `fit`, nearest neighbour.

    Raises:
        DataError: the file does not exist, or is not a mask.
    """
    with quiet_pillow(), open_image(path) as image:
        codes = mask_codes(image)
        mask = palette.classes_of(codes)
        return fit_mask(mask, size, how) if size is not None else mask


def fit_mask(mask: NDArray[np.uint8], size: tuple[int, int], how: Fit = CROP) -> NDArray[np.uint8]:
    """A mask (H, W) at `size`, cropped, padded or stretched as `fit` does with its image, by nearest neighbour.

    Padding is `IGNORE`.
    """
    if mask.shape == size:
        return mask
    whole = (mask.shape[0], mask.shape[1])
    if how == PAD:
        (height, width), (top, left) = padded_content(whole, size)
        padded = np.full(size, IGNORE, np.uint8)
        content = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
        padded[top : top + height, left : left + width] = np.asarray(content)
        return padded
    box = visible_window(whole, size, how)
    resized = Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.NEAREST, box=box)
    return np.asarray(resized)


def mask_codes(image: Image.Image) -> NDArray[np.int64]:
    """(H, W) one integer per pixel: grey, palette index, or 0xRRGGBB; RGB files with equal channels count as grey."""
    if image.mode in ("RGB", "RGBA", "CMYK", "YCbCr"):
        colour = np.asarray(image.convert("RGB")).astype(np.int64)
        if (colour == colour[..., :1]).all():
            return colour[..., 0]
        return (colour[..., 0] << 16) + (colour[..., 1] << 8) + colour[..., 2]
    if image.mode in ("LA", "La", "PA"):
        return np.asarray(image)[..., 0].astype(np.int64)
    return np.asarray(image).astype(np.int64)

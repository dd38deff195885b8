"""A mask file -> one class index per pixel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.data.inputs.image import open_image, quiet_pillow, visible_window

IGNORE = 255
"""In the masks that are handed on: no class."""


@dataclass(frozen=True)
class Palette:
    """What stands for a class in mask files: `values` are greys or palette indices, or 0xRRGGBB in colour files."""

    values: tuple[int, ...]
    ignore: int | None = None
    """The value that stands for no class."""

    def classes_of(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Codes as class indices; a code that is none of the values is ignored."""
        values = np.array(sorted(self.values))
        place = np.searchsorted(values, codes).clip(max=len(values) - 1)
        order = np.argsort(np.array(self.values))
        return np.where(values[place] == codes, order[place], IGNORE).astype(np.uint8)


def read_mask(path: Path, palette: Palette, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """(H, W) class indices of a mask file, `IGNORE` for no class; at `size` by the rule of `fit`, nearest pixels.

    Raises:
        DataError: no such file, or no mask.
    """
    with quiet_pillow(), open_image(path) as image:
        codes = mask_codes(image)
        kinds = palette.classes_of(codes)
        return fit_mask(kinds, size) if size is not None else kinds


def fit_mask(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask (H, W) at `size`, cut and resized as `fit` does with its image, no number mixed."""
    if mask.shape == size:
        return mask
    box = visible_window((mask.shape[0], mask.shape[1]), size)
    resized = Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.NEAREST, box=box)
    return np.asarray(resized)


def mask_codes(image: Image.Image) -> NDArray[np.int64]:
    """(H, W) one whole number per pixel: grey, palette index, or 0xRRGGBB; greys in three equal channels are greys."""
    if image.mode in ("RGB", "RGBA", "CMYK", "YCbCr"):
        colour = np.asarray(image.convert("RGB")).astype(np.int64)
        if (colour == colour[..., :1]).all():
            return colour[..., 0]
        return (colour[..., 0] << 16) + (colour[..., 1] << 8) + colour[..., 2]
    if image.mode in ("LA", "La", "PA"):
        return np.asarray(image)[..., 0].astype(np.int64)
    return np.asarray(image).astype(np.int64)

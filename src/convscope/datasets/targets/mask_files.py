"""Mask files: read class indices per pixel."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.fitting import CROP, PAD, Fit, padded_content, visible_window
from convscope.datasets.inputs.opening import open_image, orientation, quiet_pillow
from convscope.errors import DataError

IGNORE = 255
"""The class index of unlabelled pixels."""

COLOUR = 1 << 24
"""Added to 0xRRGGBB, it is the code of a pixel in a colour file; the codes of other files are greys and indices."""

TRANSPARENT = 1 << 25
"""The code of a pixel that is less than half opaque."""

_BAND = 1 << 21  # pixels that are converted at once, which bounds the memory for large files
_LARGE = 1 << 24  # pixels above which files are read one at a time, for the same reason
_one_large = Lock()


@dataclass(frozen=True)
class MaskFile:
    """The mask of one image: one file, or one file per object."""

    paths: tuple[Path, ...]
    turned: int = 1
    """The EXIF orientation of the image, if its mask was drawn on the pixels as stored; 1: it is upright."""
    classes: tuple[int, ...] = ()
    """The class of the object in each file, if each shows one object on a background; empty: the palette tells it."""


@dataclass(frozen=True)
class Palette:
    """Which class a pixel of a mask file has, by its code."""

    values: tuple[int, ...]
    """The value of each class: a grey, a palette index, or 0xRRGGBB in colour files."""
    ignore: int | None = None
    """The value of unlabelled pixels."""
    aliases: tuple[tuple[int, int], ...] = ()
    """(code, value) where the value differs from the code, as for colours."""
    by_colour: bool = False
    """Whether palette files are read by the colours of their palettes, not by their indices."""

    @cached_property
    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The known codes in ascending order, and the class of each."""
        index = {value: i for i, value in enumerate(self.values)}
        of_code = {**index, **{code: index.get(value, IGNORE) for code, value in self.aliases}}
        codes = sorted(of_code)
        return np.array(codes, np.int64), np.array([of_code[code] for code in codes], np.uint8)

    def classes_of(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        """Convert codes to class indices; codes that no class has become `IGNORE`."""
        known, classes = self._table
        if codes.dtype == np.uint8:
            table = np.full(256, IGNORE, np.uint8)
            bytes_ = (known >= 0) & (known < 256)
            table[known[bytes_]] = classes[bytes_]
            found: NDArray[np.uint8] = table[codes]
            return found
        index = np.searchsorted(known, codes).clip(max=len(known) - 1)
        return np.where(known[index] == codes, classes[index], IGNORE).astype(np.uint8)


def read_mask(
    mask: MaskFile, palette: Palette, size: tuple[int, int] | None = None, how: Fit = CROP
) -> NDArray[np.uint8]:
    """(H, W) class indices of an image's mask, `IGNORE` for unlabelled pixels; at `size` as by `fit_mask`.

    Of several objects at a pixel the one of the class with the highest index is used.

    Raises:
        DataError: a file does not exist, is not a mask, or differs in size from the others of the image.
    """
    files = (_of_class(_read_file(path, palette), mask.classes[i : i + 1]) for i, path in enumerate(mask.paths))
    found = next(files)
    for path, other in zip(mask.paths[1:], files, strict=True):
        if other.shape != found.shape:
            raise DataError(f"{path}: differs in size from {mask.paths[0].name}; export both again")
        np.maximum(found, other, out=found)
    found = turn(found, mask.turned)
    return fit_mask(found, size, how) if size is not None else np.ascontiguousarray(found)


def _of_class(found: NDArray[np.uint8], index: tuple[int, ...]) -> NDArray[np.uint8]:
    """Background, 0, and the object, 1, of a file with the index of its class, if it is known."""
    return np.where(found == 1, np.uint8(index[0]), found) if index else found


def _read_file(path: Path, palette: Palette) -> NDArray[np.uint8]:
    with quiet_pillow(), open_image(path) as image, one_if_large(image):
        found, row = np.empty((image.height, image.width), np.uint8), 0
        for codes in code_bands(image, palette.by_colour):
            found[row : row + len(codes)] = palette.classes_of(codes)
            row += len(codes)
        return turn(found, orientation(image))


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


def turn(mask: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A mask (H, W) as stored, turned upright by an EXIF orientation, 1 to 8.

    >>> turn(np.array([[1, 2, 3]], np.uint8), 6).tolist()
    [[1], [2], [3]]
    """
    if orientation in (2, 7):
        mask = mask[:, ::-1]
    elif orientation in (4, 5):
        mask = mask[::-1]
    quarters = {3: 2, 5: -1, 6: -1, 7: -1, 8: 1}.get(orientation, 0)
    return np.rot90(mask, quarters)


def one_if_large(image: Image.Image) -> AbstractContextManager[Any]:
    """A context that other threads with a large image wait for, so that the memory of one suffices."""
    return _one_large if image.width * image.height > _LARGE else nullcontext()


def code_bands(image: Image.Image, by_colour: bool = False) -> Iterator[NDArray[Any]]:
    """Codes (h, W) of the pixels of an image as stored, a band of rows at a time: greys, palette indices, or `COLOUR`.

    They are uint8 where a file has 256 values at most, else int32.

    Raises:
        DataError: a value is not a whole number below 2^24.
    """
    image.load()
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        yield _codes(image.crop((0, top, image.width, min(image.height, top + rows))), by_colour)


def _codes(part: Image.Image, by_colour: bool) -> NDArray[Any]:
    if part.mode in ("1", "L") or (part.mode == "P" and not by_colour):
        return np.asarray(part).astype(np.uint8, copy=False)
    if part.mode in ("LA", "La"):
        values = np.asarray(part.convert("LA"))
        return np.where(values[..., 1] < 128, TRANSPARENT, values[..., 0]).astype(np.int32)
    if part.mode.startswith(("I", "F")):
        return _whole_numbers(np.asarray(part))
    has_alpha = part.mode in ("RGBA", "RGBa", "PA")
    colours = np.asarray(part.convert("RGBA" if has_alpha else "RGB")).astype(np.int32)
    codes = COLOUR + (colours[..., 0] << 16) + (colours[..., 1] << 8) + colours[..., 2]
    return np.where(colours[..., 3] < 128, TRANSPARENT, codes).astype(np.int32) if has_alpha else codes


def _whole_numbers(values: NDArray[Any]) -> NDArray[np.int32]:
    if not np.isfinite(values).all() or (np.abs(values) >= COLOUR).any() or (np.rint(values) != values).any():
        raise DataError("has values that are not whole numbers below 2^24; save it as a PNG of class values")
    return values.astype(np.int32)

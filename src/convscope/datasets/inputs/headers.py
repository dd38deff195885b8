"""Headers of image files: size, mode and bit depth, read without decoding pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from convscope.datasets.inputs.arrays import is_array, open_array
from convscope.datasets.inputs.opening import (
    PIXEL_LIMIT,
    has_high_bit_depth,
    open_image,
    orientation,
    quiet_pillow,
    upright_size,
)
from convscope.datasets.inputs.plain_headers import plain_header
from convscope.datasets.inputs.raster import channels_of
from convscope.datasets.inputs.tiff import ENDINGS as TIFF_ENDINGS
from convscope.datasets.inputs.tiff import is_beyond_pillow, is_tiff, tiff_layout
from convscope.datasets.store.parallel import parallel_map
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError

_CHUNK = 64  # files per task of a thread

_KINDS = {
    "1": "grey",
    "L": "grey",
    "LA": "grey with transparency",
    "La": "grey with transparency",
    "P": "palette",
    "PA": "palette",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "F": "32-bit grey",
    "I": "32-bit grey",
}
_GREY = frozenset({"1", "L", "LA", "La"})


@dataclass(frozen=True)
class Header:
    """The header of one file."""

    height: int
    width: int
    mode: str
    grey: bool
    high_bit_depth: bool
    orientation: int = 1
    """EXIF orientation, 1 (upright) to 8; height and width are those of the upright image."""
    channels: int = 3
    """Channels without transparency: 1 for grey, 3 for colour, or any other number."""
    pages: bool = False
    """Whether a TIFF has more than one page."""
    reduced: bool = False
    """Whether the decoder gives 8 of 16 bits."""


def read_headers(paths: Sequence[Path]) -> list[Header | str]:
    """The header of each file, or why it cannot be read, in order. Damaged pixel data are not detected."""
    with quiet_pillow():
        chunks = parallel_map(lambda rows: [_header(paths[row]) for row in rows], len(paths), _CHUNK, usable_cores())
        return [header for found in chunks for header in found]


def _header(path: Path) -> Header | str:
    plain = plain_header(path)
    if plain is not None and plain.height * plain.width <= PIXEL_LIMIT:
        height, width, mode = plain
        return Header(height, width, _KINDS.get(mode, mode), mode in _GREY, False, channels=channels_of(mode, 0))
    try:
        return _array_header(path) if is_array(path) else _image_header(path)
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")


def _image_header(path: Path) -> Header:
    try:
        with open_image(path) as image:
            if not is_beyond_pillow(image):
                return _pillow_header(image)
    except DataError:
        if path.suffix.lower() not in TIFF_ENDINGS or not is_tiff(path):
            raise
    (height, width, channels), dtype = tiff_layout(path)
    return Header(height, width, _mode(channels, str(dtype)), channels == 1, dtype.itemsize > 1, channels=channels)


def _pillow_header(image: Image.Image) -> Header:
    turned, mode = orientation(image), image.mode
    height, width = upright_size(image.size, turned)
    deep = has_high_bit_depth(mode)
    kind = _KINDS.get(mode, "16-bit grey" if deep else mode)
    grey, channels = deep or mode in _GREY, channels_of(mode, 0)
    if isinstance(image, TiffImageFile):
        tag = image.tag_v2.get(0x0112, 1)  # Pillow turns the pixels of a TIFF upright by itself
        turned, pages = int(tag) if tag in range(1, 9) else 1, bool(getattr(image, "is_animated", False))
        return Header(height, width, kind, grey, deep, turned, channels, pages)
    turned = turned if 1 <= turned <= 8 else 1
    return Header(height, width, kind, grey, deep, turned, channels, reduced=not deep and _is_of_16_bits(image))


def _is_of_16_bits(image: Image.Image) -> bool:
    """Whether the values in a PNG file have 16 bits."""
    tiles: Any = getattr(image, "tile", None) if image.format == "PNG" else None
    return bool(tiles) and ";16" in str(tiles[0][3])


def _array_header(path: Path) -> Header:
    values = open_array(path)
    height, width, channels = values.shape
    deep = values.dtype.itemsize > 1 or values.dtype.kind == "i"
    return Header(height, width, _mode(channels, str(values.dtype)), channels == 1, deep, channels=channels)


def _mode(channels: int, dtype: str) -> str:
    return f"{channels} channel{'' if channels == 1 else 's'} of {dtype}"

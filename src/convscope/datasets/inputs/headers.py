"""Headers of image files: size, mode and bit depth, read without decoding pixels."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from convscope.datasets.inputs.image import (
    FULL_WHITE,
    has_high_bit_depth,
    open_image,
    orientation,
    quiet_pillow,
    upright_size,
)
from convscope.datasets.store.parallel import parallel_map
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError

_CHUNK = 64  # files per task of a thread
_SAMPLE = 64  # high-bit-depth files that are decoded to detect the number of bits in use

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


def read_headers(paths: Sequence[Path]) -> list[Header | str]:
    """The header of each file, or why it cannot be read, in order. Damaged pixel data are not detected."""
    with quiet_pillow():
        chunks = parallel_map(lambda rows: [_header(paths[row]) for row in rows], len(paths), _CHUNK, usable_cores())
        return [header for found in chunks for header in found]


def deep_white(paths: Sequence[Path]) -> float:
    """The value of high-bit-depth greys (16-bit, 32-bit, float) that should become 255.

    Cameras and scanners often store 10, 12 or 14 bits in 16-bit files; read as 16 bits such images are nearly black.
    Therefore the largest value of up to 64 evenly spaced files is rounded up to 8, 10, 12, 14 or 16 bits. One value is
    used for all files, which preserves relative brightness. Floats up to 1 have the white value 1; values above 16 bits
    are scaled by the largest.
    """
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(_SAMPLE, len(paths))).astype(int))]
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-headers") as pool:
        largest = max(pool.map(_largest, chosen), default=(0.0, True))
    value, whole = largest
    if not whole and 0 < value <= 1:
        return 1.0
    return next((float(2**bits - 1) for bits in (8, 10, 12, 14, 16) if 0 < value < 2**bits), value or FULL_WHITE)


def _header(path: Path) -> Header | str:
    try:
        with open_image(path) as image:
            height, width = upright_size(image.size, orientation(image))
            deep = has_high_bit_depth(image.mode)
            kind = _KINDS.get(image.mode, "16-bit grey" if deep else image.mode)
            grey = deep or image.mode in _GREY
            return Header(height, width, kind, grey, deep, _exif_orientation(image))
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")


def _exif_orientation(image: Image.Image) -> int:
    """EXIF orientation, also of a TIFF, which Pillow turns upright by itself."""
    turned = image.tag_v2.get(0x0112, 1) if isinstance(image, TiffImageFile) else orientation(image)
    return int(turned) if turned in range(1, 9) else 1


def _largest(path: Path) -> tuple[float, bool]:
    """The largest value in a file, and whether its values are integers; 0 if it cannot be read."""
    try:
        with open_image(path) as image:
            values = np.asarray(image)
    except DataError:
        return 0.0, True
    return float(np.nanmax(values, initial=0)), values.dtype.kind != "f"

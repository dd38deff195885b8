"""Small plain JPEG files by simplejpeg: the same pixels as Pillow's in a quarter of its time."""

import math
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray

LARGEST = 1 << 15  # bytes; with more, resizing takes most of the time, and Pillow's way is as fast in all
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")
TURNS = (b"Exif\0", b"tiff:Orientation")  # what a file that is to be turned says
SPACES = {"YCbCr": ("RGB", "GRAY"), "Gray": ("RGB", "GRAY"), "RGB": ("RGB",)}
SHRINKS = (8, 4, 2)  # factors by which Pillow lets the decoder shrink too


def jpeg_content(path: Path) -> bytes | None:
    """What is in a small JPEG file; None for any other, and for what cannot be read.

    The name says what may be one, so that other files are not read twice, and the first bytes whether it is.
    """
    if path.suffix.lower() not in ENDINGS:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError:
        return None
    return content if content[:2] == b"\xff\xd8" and len(content) <= LARGEST else None


def may_be_turned(content: bytes) -> bool:
    """Whether a JPEG may say that it is to be turned or mirrored."""
    return any(turn in content for turn in TURNS)


def jpeg_pixels(content: bytes, channels: int, size: tuple[int, int], limit: int) -> NDArray[np.uint8] | None:
    """(H, W, C) of an upright JPEG, at least as large as `size` where the image is; None: leave it to Pillow.

    Left to Pillow is whatever asks for more than decoding, and whatever is amiss: Pillow says why.

    Args:
        content: of the file.
        channels: 1 or 3.
        size: (H, W) that is wanted; the decoder shrinks by 2, 4 or 8 as long as neither side falls below it.
        limit: pixels that an image may have.
    """
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(content)
        wanted = "GRAY" if channels == 1 else "RGB"
        if wanted not in SPACES.get(space, ()) or height * width > limit:
            return None
        scale = max(size[0] / height, size[1] / width)
        if space != "Gray" and channels == 1 and scale >= 1:  # Pillow makes grey of the colours then
            return None
        least = math.ceil(height * scale), math.ceil(width * scale)
        shrink = next((by for by in SHRINKS if least[0] * by <= height and least[1] * by <= width), 1)
        sides = (math.ceil(height / shrink), math.ceil(width / shrink)) if shrink > 1 else (0, 0)
        found: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            content, colorspace=wanted, fastdct=False, fastupsample=False, min_height=sides[0], min_width=sides[1]
        )
    except ValueError:
        return None
    return found

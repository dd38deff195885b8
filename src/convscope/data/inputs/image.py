"""One image file, of whatever kind, as pixels of one shape."""

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from convscope.data.inputs.jpeg import jpeg_content, jpeg_pixels, may_be_rotated, shrink
from convscope.errors import DataError

PIXEL_LIMIT = 178_956_970
"""The most pixels an image may have: twice ``PIL.Image.MAX_IMAGE_PIXELS`` as Pillow ships it, where Pillow itself
refuses. A file of a few kilobytes can claim billions ("decompression bomb") and would fill the memory."""

FULL_WHITE = 65535.0
"""The deep grey value that becomes 255 when the data do not say otherwise: all of a 16-bit file's range."""

ENDINGS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".webp",
        ".avif",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".tga",
        ".jp2",
    ]
)
"""File-name endings (lower case) that are taken for images."""

_TOO_LARGE = f"too large: it has more pixels than the limit of {PIXEL_LIMIT:,}; make it smaller"
_DEEP = ("I", "F")  # I, I;16, I;16B, I;16L, I;16N and F: more than 256 greys
_EXIF_FORMATS = frozenset(["exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"])  # keys of Pillow's info
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(
    source: Path | BinaryIO,
    channels: int,
    size: tuple[int, int] | None = None,
    white: float = FULL_WHITE,
) -> NDArray[np.uint8]:
    """Pixels of an image file, upright, (C, H, W) uint8.

    EXIF orientation is honoured; transparency is laid on white; of an animation the first frame is taken; greys of more
    than 8 bits are scaled so that `white` becomes 255 (values outside 0 .. white are clipped).

    Args:
        source: a file, or an open binary stream.
        channels: 1 for grey, 3 for RGB.
        size: (H, W) to `fit` the image to; None keeps its own.
        white: see `headers.deep_white`, which finds it for a whole data set.

    Raises:
        DataError: no such file, no image, a damaged one, or one of more than `PIXEL_LIMIT` pixels.
    """
    with quiet_pillow():
        if isinstance(source, Path) and size is not None:
            return decode(source, ImageSpec(size, channels, white)).pixels
        with open_image(source) as image:
            return pixels_of(image, channels, size, white)


@dataclass(frozen=True)
class ImageSpec:
    """What a file is decoded to: (H, W) `size`, 1 or 3 `channels`, and the deep grey value `white` that becomes 255."""

    size: tuple[int, int]
    channels: int
    white: float = FULL_WHITE


class DecodedImage(NamedTuple):
    """(C, H, W) uint8 pixels, and the (H, W) of the upright file."""

    pixels: NDArray[np.uint8]
    whole: tuple[int, int]


def decode(path: Path, spec: ImageSpec, any_size: bool = False) -> DecodedImage:
    """An image file as training and prediction both see it; for many files, inside `quiet_pillow`.

    Args:
        path: of the file.
        spec: what is wanted.
        any_size: nothing is cut off: the image is resized so that it just covers the spec's size.

    Raises:
        DataError: as `read_image` says.
    """
    if not any_size:
        return _decode(path, spec, spec.size)
    with open_image(path) as image:
        whole = upright_size(image.size, orientation(image))
    found = _decode(path, spec, covering(whole, spec.size))
    if found.whole == whole:
        return found
    return _decode(path, spec, covering(found.whole, spec.size))  # a PNG that says only at its end that it is turned


def covering(whole: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The least (H, W) of the shape of `whole` that covers `size`."""
    scale = max(size[0] / whole[0], size[1] / whole[1])
    return max(1, round(scale * whole[0])), max(1, round(scale * whole[1]))


def _decode(path: Path, spec: ImageSpec, size: tuple[int, int]) -> DecodedImage:
    content = jpeg_content(path)
    if content and not (may_be_rotated(content) and _is_rotated(content)):
        plain = jpeg_pixels(content, spec.channels, size, PIXEL_LIMIT)
        if plain is not None:
            return DecodedImage(fit(*plain, size).transpose(2, 0, 1), plain[1])
    with open_image(path) as image:
        return _decoded(image, spec.channels, size, spec.white)


@contextmanager
def open_image(source: Path | BinaryIO) -> Iterator[Image.Image]:
    """A Pillow image whose header is read and whose size is legal; whatever fails inside becomes a DataError."""
    place = str(source) if isinstance(source, Path) else str(getattr(source, "name", "image"))
    try:
        with Image.open(source) as image:
            width, height = image.size
            if width * height > PIXEL_LIMIT:
                raise DataError(f"{place}: {_TOO_LARGE}")
            yield image
    except DataError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except Exception as error:  # a decoder may raise anything on damaged bytes: OSError, SyntaxError, struct.error ...
        raise DataError(f"{place}: {_why(source, error)}") from error


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's own warnings (odd EXIF, large images) from the user: what matters is raised or listed instead."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def pixels_of(
    image: Image.Image, channels: int, size: tuple[int, int] | None = None, white: float = FULL_WHITE
) -> NDArray[np.uint8]:
    """Pixels of a Pillow image, as `read_image` gives them for a file."""
    return _decoded(image, channels, size, white).pixels


def _decoded(image: Image.Image, channels: int, size: tuple[int, int] | None, white: float) -> DecodedImage:
    stored = image.size
    _draft(image, channels, size)
    image.load()
    turned = orientation(image)  # which a PNG may tell of at its end
    turn, whole = _ORIENTATIONS.get(turned), upright_size(stored, turned)
    plain = _as_8_bit(image, channels, white)
    plain = plain if turn is None else plain.transpose(turn)
    pixels = np.asarray(plain).reshape(plain.height, plain.width, channels)
    if size is not None:
        pixels = fit(pixels, whole, size)
    return DecodedImage(np.ascontiguousarray(pixels.transpose(2, 0, 1)), whole)


def fit(pixels: NDArray[np.uint8], whole: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image (H, W, C) at `size` (H, W): what juts out of its longer side is cut, evenly, and the rest is resized.

    Bicubic with antialiasing, as Pillow does it but for rounding; an image that has the size already is returned as it
    is. Training and prediction both use this rule, so a network sees the same picture in both.

    Args:
        pixels: all of the image, as it is or shrunk by `shrink` while it was decoded.
        whole: (H, W) of the file.
        size: (H, W) that is wanted.
    """
    if pixels.shape[:2] == size:
        return pixels
    by = 1 if pixels.shape[:2] == whole else shrink(whole, size)
    left, top, right, bottom = visible_window(whole, size)
    part = pixels[top // by : math.ceil(bottom / by), left // by : math.ceil(right / by)]
    x = torch.from_numpy(part.copy()).permute(2, 0, 1)[None]
    # functional.interpolate with a size takes all that it is given, and part may end with some of a pixel too much
    scales = (by * size[0] / (bottom - top), by * size[1] / (right - left))
    found: Tensor = torch.ops.aten._upsample_bicubic2d_aa(x, size, False, *scales)
    return found[0].permute(1, 2, 0).numpy()


def visible_window(whole: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part (left, top, right, bottom), in pixels, of an image of `whole` (H, W) that `fit` brings to `size` (H, W).

    It begins at a pixel of the image as a decoder would shrink it (`shrink`), so that images, masks and boxes are cut
    alike however they are decoded.

    >>> visible_window((100, 300), (10, 20))
    (48, 0, 248, 100)
    """
    by, scale = shrink(whole, size), max(size[0] / whole[0], size[1] / whole[1])
    (top, bottom), (left, right) = (_middle(length, side / scale, by) for length, side in zip(whole, size, strict=True))
    return left, top, right, bottom


def _middle(length: int, part: float, by: int) -> tuple[int, int]:
    """Where the middle part of a side begins, at a multiple of `by`, and ends."""
    kept = min(length, max(1, round(part)))
    start = (length - kept) // 2 // by * by
    return start, start + kept


def upright_size(stored: tuple[int, int], turned: int) -> tuple[int, int]:
    """(H, W) of an image that lies in its file as `stored` (W, H), once it is turned by its `orientation`."""
    return stored if turned >= 5 else stored[::-1]


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8; 1 when there is none, it is damaged, or Pillow sees to it itself."""
    if image.format == "TIFF" or not _EXIF_FORMATS & image.info.keys():
        return 1  # TIFF is turned by Pillow while loading; asking a PNG without EXIF would decode all of it
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF is no reason to lose the picture
        return 1


def _is_rotated(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return orientation(image) != 1
    except Exception:  # whatever it is, it is not plain
        return True


def has_high_bit_depth(mode: str) -> bool:
    """Whether a Pillow mode holds more than 256 greys."""
    return mode.startswith(_DEEP)


def _draft(image: Image.Image, channels: int, size: tuple[int, int] | None) -> None:
    """Let the JPEG decoder shrink a large photograph, and leave out colours that are not wanted."""
    by = 1 if size is None else shrink(upright_size(image.size, orientation(image)), size)
    image.draft("L" if channels == 1 else "RGB", (image.width // by, image.height // by))


def _as_8_bit(image: Image.Image, channels: int, white: float) -> Image.Image:
    """The image as Pillow mode L or RGB."""
    mode = "L" if channels == 1 else "RGB"
    if has_high_bit_depth(image.mode):
        grey = np.asarray(image).astype(np.float64) * (255 / white)
        image = Image.fromarray(np.rint(np.clip(np.nan_to_num(grey), 0, 255)).astype(np.uint8))
    elif image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return image if image.mode == mode else image.convert(mode)


def _why(source: Path | BinaryIO, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file; check the path"
    if isinstance(error, IsADirectoryError):
        return "a folder, not an image; name the files in it"
    if isinstance(error, PermissionError):
        return "may not be read; give yourself the permission"
    if isinstance(error, Image.DecompressionBombError):
        return _TOO_LARGE
    if _is_empty(source):
        return "the file is empty, 0 bytes; copy it again or delete it"
    if isinstance(error, UnidentifiedImageError):
        return "no image of a kind that can be read; convert it to PNG or JPEG, or delete it"
    return "damaged or cut short; copy it again or delete it"


def _is_empty(source: Path | BinaryIO) -> bool:
    if isinstance(source, Path):
        return source.exists() and source.stat().st_size == 0
    return source.seek(0, io.SEEK_END) == 0

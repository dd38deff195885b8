"""Decode an image file of any format to pixels of a fixed shape."""

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

from convscope.datasets.inputs.jpeg import jpeg_content, jpeg_pixels, may_be_rotated, shrink
from convscope.errors import DataError

PIXEL_LIMIT = 178_956_970
"""Maximum number of pixels: twice the default ``PIL.Image.MAX_IMAGE_PIXELS``, Pillow's own limit. A file of a few
kilobytes can declare billions of pixels ("decompression bomb") and fill the memory."""

FULL_WHITE = 65535.0
"""The default high-bit-depth grey value that becomes 255: the full range of 16 bits."""

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
"""File extensions (lower case) of images."""

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

    EXIF orientation is applied; transparency is composited on white; of an animation the first frame is used; greys of
    more than 8 bits are scaled so that `white` becomes 255 (values outside 0 .. white are clipped).

    Args:
        source: a file, or an open binary stream.
        channels: 1 for grey, 3 for RGB.
        size: (H, W) to `fit` the image to; None keeps its own.
        white: see `headers.deep_white`, which computes it for a dataset.

    Raises:
        DataError: the file does not exist, is not an image, is damaged or has more than `PIXEL_LIMIT` pixels.
    """
    with quiet_pillow():
        if isinstance(source, Path) and size is not None:
            return decode(source, ImageSpec(size, channels, white)).pixels
        with open_image(source) as image:
            return pixels_of(image, channels, size, white)


@dataclass(frozen=True)
class ImageSpec:
    """The output of decoding: (H, W) `size`, 1 or 3 `channels`, and the deep grey `white` that becomes 255."""

    size: tuple[int, int]
    channels: int
    white: float = FULL_WHITE


class DecodedImage(NamedTuple):
    """(C, H, W) uint8 pixels, and the (H, W) of the upright file."""

    pixels: NDArray[np.uint8]
    whole: tuple[int, int]


def decode(path: Path, spec: ImageSpec, any_size: bool = False) -> DecodedImage:
    """Decode an image file, in the same way for training and prediction; for many files, inside `quiet_pillow`.

    Args:
        path: image file.
        spec: size, channels and white value of the output.
        any_size: resize without cropping, to the smallest size that covers the spec's size.

    Raises:
        DataError: see `read_image`.
    """
    if not any_size:
        return _decode(path, spec, spec.size)
    with open_image(path) as image:
        whole = upright_size(image.size, orientation(image))
    decoded = _decode(path, spec, covering(whole, spec.size))
    if decoded.whole == whole:
        return decoded
    return _decode(path, spec, covering(decoded.whole, spec.size))  # a PNG whose orientation follows its pixels


def covering(whole: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The smallest (H, W) with the aspect ratio of `whole` that covers `size`."""
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
    """Open a Pillow image and check its size; any exception inside the context becomes a DataError."""
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", "image"))
    try:
        with Image.open(source) as image:
            width, height = image.size
            if width * height > PIXEL_LIMIT:
                raise DataError(f"{name}: {_TOO_LARGE}")
            yield image
    except DataError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except Exception as error:  # a decoder may raise anything on damaged bytes: OSError, SyntaxError, struct.error ...
        raise DataError(f"{name}: {_error_text(source, error)}") from error


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Suppress Pillow's warnings (invalid EXIF, large images): relevant problems are raised or listed as skipped."""
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
    turned = orientation(image)  # after loading: a PNG may store it after its pixels
    transpose, whole = _ORIENTATIONS.get(turned), upright_size(stored, turned)
    plain = _as_8_bit(image, channels, white)
    plain = plain if transpose is None else plain.transpose(transpose)
    pixels = np.asarray(plain).reshape(plain.height, plain.width, channels)
    if size is not None:
        pixels = fit(pixels, whole, size)
    return DecodedImage(np.ascontiguousarray(pixels.transpose(2, 0, 1)), whole)


def fit(pixels: NDArray[np.uint8], whole: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Centre-crop an image (H, W, C) to the aspect ratio of `size` (H, W) and resize it.

    Bicubic with antialiasing, equal to Pillow except for rounding; an image of this size is returned unchanged.
    Training and prediction both use this function.

    Args:
        pixels: the whole image, at full size or reduced by `shrink` while decoding.
        whole: (H, W) of the file.
        size: (H, W) of the result.
    """
    if pixels.shape[:2] == size:
        return pixels
    by = 1 if pixels.shape[:2] == whole else shrink(whole, size)
    left, top, right, bottom = visible_window(whole, size)
    part = pixels[top // by : math.ceil(bottom / by), left // by : math.ceil(right / by)]
    x = torch.from_numpy(part.copy()).permute(2, 0, 1)[None]
    # functional.interpolate with a size would use all of part, which may end with a fraction of a pixel too much
    scales = (by * size[0] / (bottom - top), by * size[1] / (right - left))
    resized: Tensor = torch.ops.aten._upsample_bicubic2d_aa(x, size, False, *scales)
    return resized[0].permute(1, 2, 0).numpy()


def visible_window(whole: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part (left, top, right, bottom), in pixels, of an image of `whole` (H, W) that `fit` uses for `size` (H, W).

    It starts at a multiple of the decoder's reduction factor (`shrink`), so that images, masks and boxes are cropped
    equally however they are decoded.

    >>> visible_window((100, 300), (10, 20))
    (48, 0, 248, 100)
    """
    by, scale = shrink(whole, size), max(size[0] / whole[0], size[1] / whole[1])
    (top, bottom), (left, right) = (_middle(length, side / scale, by) for length, side in zip(whole, size, strict=True))
    return left, top, right, bottom


def _middle(length: int, part: float, by: int) -> tuple[int, int]:
    """Start, a multiple of `by`, and end of the central part of a side."""
    kept = min(length, max(1, round(part)))
    start = (length - kept) // 2 // by * by
    return start, start + kept


def upright_size(stored: tuple[int, int], turned: int) -> tuple[int, int]:
    """(H, W) after applying the `orientation` of an image that is stored with (W, H)."""
    return stored if turned >= 5 else stored[::-1]


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8; 1 if there is none, it is damaged, or Pillow applies it itself."""
    if image.format == "TIFF" or not _EXIF_FORMATS & image.info.keys():
        return 1  # Pillow applies it to TIFF; for a PNG without EXIF, getexif would decode all pixels
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # an image with damaged EXIF is still usable
        return 1


def _is_rotated(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return orientation(image) != 1
    except Exception:  # leave the file to Pillow
        return True


def has_high_bit_depth(mode: str) -> bool:
    """Whether a Pillow mode has more than 256 greys."""
    return mode.startswith(_DEEP)


def _draft(image: Image.Image, channels: int, size: tuple[int, int] | None) -> None:
    """Let the JPEG decoder reduce a large image, and skip unused colours."""
    by = 1 if size is None else shrink(upright_size(image.size, orientation(image)), size)
    image.draft("L" if channels == 1 else "RGB", (image.width // by, image.height // by))


def _as_8_bit(image: Image.Image, channels: int, white: float) -> Image.Image:
    """The image as Pillow mode L or RGB."""
    mode = "L" if channels == 1 else "RGB"
    if has_high_bit_depth(image.mode):
        grey = np.asarray(image).astype(np.float64) * (255 / white)
        image = Image.fromarray(np.rint(np.clip(np.nan_to_num(grey), 0, 255)).astype(np.uint8))
    elif image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image if image.mode == mode else image.convert(mode)


def _error_text(source: Path | BinaryIO, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file; check the path"
    if isinstance(error, IsADirectoryError):
        return "a folder, not an image; name the files in it"
    if isinstance(error, PermissionError):
        return "permission denied; make the file readable"
    if isinstance(error, Image.DecompressionBombError):
        return _TOO_LARGE
    if _is_empty(source):
        return "the file is empty, 0 bytes; copy it again or delete it"
    if isinstance(error, UnidentifiedImageError):
        return "not an image in a supported format; convert it to PNG or JPEG, or delete it"
    return "damaged or truncated; copy it again or delete it"


def _is_empty(source: Path | BinaryIO) -> bool:
    if isinstance(source, Path):
        return source.exists() and source.stat().st_size == 0
    return source.seek(0, io.SEEK_END) == 0

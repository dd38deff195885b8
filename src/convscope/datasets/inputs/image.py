"""Decode an image file of any format to pixels of a fixed shape."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.arrays import ENDING as ARRAY_ENDING
from convscope.datasets.inputs.arrays import START as ARRAY_START
from convscope.datasets.inputs.arrays import is_array, open_array
from convscope.datasets.inputs.fitting import CROP, Fit, covering, fit, reduction
from convscope.datasets.inputs.jpeg import START as JPEG_START
from convscope.datasets.inputs.jpeg import jpeg_content, jpeg_pixels, may_be_rotated
from convscope.datasets.inputs.opening import (
    PIXEL_LIMIT,
    open_image,
    orientation,
    quiet_pillow,
    turned_upright,
    upright_size,
)
from convscope.datasets.inputs.raster import (
    LARGE,
    WHITE,
    ArrayRaster,
    PillowRaster,
    Raster,
    channels_error,
    channels_of,
    gather,
)
from convscope.datasets.inputs.tiff import MAGIC as TIFF_STARTS
from convscope.datasets.inputs.tiff import tiff_values
from convscope.datasets.inputs.values import FULL_WHITE
from convscope.errors import DataError

Size = tuple[int, int]


@dataclass(frozen=True)
class ImageSpec:
    """How a file becomes pixels."""

    size: Size | None
    """(H, W) of the result; None keeps that of the file."""
    channels: int
    """1 for grey, 3 for RGB; any other number for files that have as many."""
    white: tuple[float, ...] = (FULL_WHITE,)
    """The value of deep images (more than 8 bits) that becomes 255, for all channels or for each."""
    black: tuple[float, ...] = (0.0,)
    """The value that becomes 0."""
    alpha: bool = True
    """Whether the fourth channel of RGBA is transparency, unless `channels` is 4: it is composited on `background`."""
    fit: Fit = CROP
    """See `fitting.fit`."""
    background: int = WHITE
    """The grey behind transparent pixels, 0 to 255."""


class DecodedImage(NamedTuple):
    """(C, H, W) uint8 pixels, and the (H, W) of the upright file."""

    pixels: NDArray[np.uint8]
    whole: Size


class UnfittedImage(NamedTuple):
    """(H, W, C) uint8 pixels, upright, of a whole file, at full size or reduced while they were read."""

    pixels: NDArray[np.uint8]
    whole: Size
    """(H, W) of the upright file."""
    size: Size | None
    """(H, W) that the pixels are to be fitted to; None keeps that of the file."""

    def fitted(self, how: Fit) -> DecodedImage:
        """The pixels at `size`; see `fitting.fit`."""
        pixels = self.pixels if self.size is None else fit(self.pixels, self.whole, self.size, how)
        return DecodedImage(np.ascontiguousarray(pixels.transpose(2, 0, 1)), self.whole)


def read_image(
    source: Path | BinaryIO, channels: int, size: Size | None = None, white: float = FULL_WHITE
) -> NDArray[np.uint8]:
    """Pixels of an image file, upright, (C, H, W) uint8.

    EXIF orientation is applied; transparency is composited on white; of an animation the first frame is used; greys of
    more than 8 bits are scaled so that `white` becomes 255 (values outside 0 .. white are clipped).

    Args:
        source: a file, or an open binary stream.
        channels: 1 for grey, 3 for RGB.
        size: (H, W) to `fit` the image to; None keeps its own.
        white: see `value_range.find_range`, which computes it for a dataset.

    Raises:
        DataError: the file does not exist, is not an image, is damaged or has more than `PIXEL_LIMIT` pixels.
    """
    with quiet_pillow():
        return decode(source, ImageSpec(size, channels, (white,))).pixels


def decode(source: Path | BinaryIO | bytes | NDArray[Any], spec: ImageSpec, any_size: bool = False) -> DecodedImage:
    """Decode an image file, in the same way for training and prediction; for many files, inside `quiet_pillow`.

    Args:
        source: image file, an open binary stream, the bytes of a file, which give the same pixels as the file,
            or the values (H, W, C) of an upright image.
        spec: size, channels and range of the output.
        any_size: resize without cropping, to the smallest size that covers the spec's size; nothing is cropped if
            images are padded or stretched.

    Raises:
        DataError: see `read_image`.
    """
    return read_unfitted(source, spec, any_size).fitted(spec.fit)


def read_unfitted(
    source: Path | BinaryIO | bytes | NDArray[Any], spec: ImageSpec, any_size: bool = False
) -> UnfittedImage:
    """The pixels that `decode` fits to their size, for programs that fit them themselves; arguments as for `decode`.

    Raises:
        DataError: see `read_image`.
    """
    if isinstance(source, np.ndarray):
        size = covering(source.shape[:2], spec.size) if any_size and spec.size and spec.fit == CROP else spec.size
        return _from_array("image", source, spec, size)
    if isinstance(source, bytes):
        with _opened(source) as file:
            return _read_any(file, spec, any_size)
    return _read_any(source, spec, any_size)


@contextmanager
def _opened(content: bytes) -> Iterator[Path | BinaryIO]:
    """The bytes of a file as `decode` needs them: arrays and TIFF are only read from files."""
    ending = ".tif" if content.startswith(TIFF_STARTS) else ARRAY_ENDING if content.startswith(ARRAY_START) else ""
    if not ending:
        yield io.BytesIO(content)
        return
    with tempfile.TemporaryDirectory(prefix="convscope-") as folder:
        file = Path(folder) / f"image{ending}"
        file.write_bytes(content)
        try:
            yield file
        except DataError as error:
            raise DataError(str(error).replace(f"{file}: ", "image: ", 1)) from None


def _read_any(source: Path | BinaryIO, spec: ImageSpec, any_size: bool) -> UnfittedImage:
    if spec.size is None or not any_size or spec.fit != CROP:
        return _read(source, spec, spec.size)
    whole = image_size(source)
    found = _read(source, spec, covering(whole, spec.size))
    if found.whole == whole:
        return found
    return _read(source, spec, covering(found.whole, spec.size))  # a PNG whose orientation follows its pixels


def image_size(source: Path | BinaryIO) -> Size:
    """(H, W) of an upright file, from its header.

    Raises:
        DataError: see `read_image`.
    """
    if isinstance(source, Path) and is_array(source):
        return open_array(source).shape[0], open_array(source).shape[1]
    if isinstance(source, Path) and (values := tiff_values(source, 1)) is not None:
        return values.shape[0], values.shape[1]
    with open_image(source) as image:
        return upright_size(image.size, orientation(image))


def pixels_of(
    image: Image.Image, channels: int, size: Size | None = None, white: float = FULL_WHITE
) -> NDArray[np.uint8]:
    """Pixels of a Pillow image, as `read_image` gives them for a file."""
    spec = ImageSpec(size, channels, (white,))
    return _from_pillow(image, spec, size).fitted(spec.fit).pixels


def _read(source: Path | BinaryIO, spec: ImageSpec, size: Size | None) -> UnfittedImage:
    plain = _plain_jpeg(source, spec, size)
    if plain is not None:
        return plain
    if isinstance(source, Path):
        values = open_array(source) if is_array(source) else tiff_values(source, spec.channels)
        if values is not None:
            return _from_array(source, values, spec, size)
    with open_image(source) as image:
        return _from_pillow(image, spec, size)


def _plain_jpeg(source: Path | BinaryIO, spec: ImageSpec, size: Size | None) -> UnfittedImage | None:
    content = _jpeg_content(source) if size is not None and spec.channels in (1, 3) else None
    if size is None or not content or (may_be_rotated(content) and _is_rotated(content)):
        return None
    plain = jpeg_pixels(content, spec.channels, lambda whole: reduction(whole, size, spec.fit), PIXEL_LIMIT)
    return None if plain is None else UnfittedImage(*plain, size)


def _jpeg_content(source: Path | BinaryIO) -> bytes | None:
    if isinstance(source, Path):
        return jpeg_content(source)
    content = source.getvalue() if isinstance(source, io.BytesIO) else b""
    return content if content.startswith(JPEG_START) else None


def _from_array(path: Path | str, values: NDArray[Any], spec: ImageSpec, size: Size | None) -> UnfittedImage:
    error = channels_error(values.shape[2], spec.channels)
    if error:
        raise DataError(f"{path}: {error}")
    return _gathered(ArrayRaster(values, spec.channels), spec, size)


def _from_pillow(image: Image.Image, spec: ImageSpec, size: Size | None) -> UnfittedImage:
    error = channels_error(channels_of(image.mode, spec.channels), spec.channels)
    if error:
        raise DataError(f"{getattr(image, 'filename', '') or 'image'}: {error}")
    stored = image.size
    _draft(image, spec, size)
    image.load()
    turned = orientation(image)  # after loading: a PNG may store it after its pixels
    raster = PillowRaster(image, spec.channels, spec.alpha, spec.background)
    return _gathered(raster, spec, size, turned, upright_size(stored, turned))


def _gathered(
    raster: Raster, spec: ImageSpec, size: Size | None, turned: int = 1, whole: Size | None = None
) -> UnfittedImage:
    """A raster's pixels; `whole` is the upright (H, W) of the file, if the decoder has reduced it."""
    height, width, _ = raster.shape
    here = upright_size((width, height), turned)
    whole = whole or here
    large = size is not None and here == whole and height * width > LARGE
    by = reduction(whole, size, spec.fit) if size is not None and large else 1
    return UnfittedImage(turned_upright(gather(raster, (spec.black, spec.white), by), turned), whole, size)


def _is_rotated(content: bytes) -> bool:
    try:
        with open_image(io.BytesIO(content)) as image:
            return orientation(image) != 1
    except DataError:  # leave the file to Pillow
        return True


def _draft(image: Image.Image, spec: ImageSpec, size: Size | None) -> None:
    """Let the JPEG decoder reduce a large image, and skip unused colours."""
    by = 1 if size is None else reduction(upright_size(image.size, orientation(image)), size, spec.fit)
    image.draft("L" if spec.channels == 1 else "RGB", (image.width // by, image.height // by))

"""TIFF files that Pillow cannot open or would reduce: any number of channels, of any number of bits."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.opening import PIXEL_LIMIT, TOO_LARGE, check_regular, open_image, turned_upright
from convscope.datasets.inputs.raster import channels_of
from convscope.errors import DataError

ENDINGS = (".tif", ".tiff")
BYTE_LIMIT = 2**30
"""Maximum size of one decoded page."""
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SAMPLES, _BITS, _ORIENTATION = 277, 258, 274

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # damaged files are reported in our own words


def is_beyond_pillow(image: Image.Image) -> bool:
    """Whether Pillow reduces this TIFF: several channels of more than 8 bits, or a number of them that it drops."""
    if image.format != "TIFF":
        return False
    tags = getattr(image, "tag_v2", {})
    samples, bits = tags.get(_SAMPLES, 1), tags.get(_BITS, (1,))
    several = isinstance(samples, int) and samples > 1
    return several and (samples != len(image.getbands()) or max(bits, default=1) > 8)


def tiff_layout(path: Path) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """(H, W, C) and dtype of the first page, from its header.

    Raises:
        DataError: it is no TIFF of a supported kind.
    """
    with _Opened(path) as page:
        return page.layout


def tiff_values(path: Path, channels: int) -> NDArray[Any] | None:
    """The values of a TIFF that Pillow cannot open or would reduce, or whose pages are the channels; else None.

    Args:
        path: a file.
        channels: wanted; other than 1 and 3, the pages of one channel each are the channels.

    Raises:
        DataError: see `read_tiff`.
    """
    if path.suffix.lower() not in ENDINGS:
        return None
    try:
        with open_image(path) as image:
            beyond = is_beyond_pillow(image)
            paged = image.format == "TIFF" and channels not in (1, 3) and channels_of(image.mode, channels) == 1
    except DataError:
        if not is_tiff(path):
            raise
        beyond, paged = True, False
    return read_tiff(path) if beyond else read_tiff(path, channels) if paged else None


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            return file.read(4) in MAGIC
    except (OSError, DataError):
        return False


def read_tiff(path: Path, pages: int = 1) -> NDArray[Any]:
    """(H, W, C) of the first page; or of the first `pages` pages of one channel, one channel per page.

    Raises:
        DataError: it is damaged, has too few pages, or is compressed in a way that needs another library.
    """
    with _Opened(path) as opened:
        if pages == 1:
            return opened.values(0)
        if len(opened.pages) != pages:
            found = f"{len(opened.pages)} page{'' if len(opened.pages) == 1 else 's'} of one channel"
            raise DataError(f"{path}: has {found}, not {pages}; set data.channels to their number")
        return np.concatenate([opened.values(page) for page in range(pages)], axis=-1)


def tiff_error(place: object, error: Exception) -> DataError:
    """The error of a TIFF that tifffile cannot read."""
    if "imagecodecs" in str(error):
        return DataError(f"{place}: compressed in a way that is not supported here; save it with deflate")
    return DataError(f"{place}: damaged or truncated; copy it again or delete it")


class _Opened:
    """An open TIFF; every error inside becomes a DataError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "_Opened":
        import tifffile

        try:
            self._file = tifffile.TiffFile(self.path)
            self.pages: Any = self._file.pages
            self.layout = self._layout(0)
        except DataError:
            self._file.close()
            raise
        except Exception as error:
            raise tiff_error(self.path, error) from None
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._file.close()
        if isinstance(error, Exception) and not isinstance(error, DataError):
            raise tiff_error(self.path, error) from None

    def values(self, number: int) -> NDArray[Any]:
        """(H, W, C) of a page."""
        height, width, channels = self._layout(number)[0]
        page: Any = self.pages[number]
        values: NDArray[Any] = np.asarray(page.asarray())
        planar = values.ndim == 3 and int(page.planarconfig) == 2
        values = values.transpose(1, 2, 0) if planar else values.reshape(height, width, channels)
        turned = page.tags.get(_ORIENTATION)
        return turned_upright(values, int(turned.value) if turned is not None else 1)

    def _layout(self, number: int) -> tuple[tuple[int, int, int], np.dtype[Any]]:
        page: Any = self.pages[number]
        height, width, channels = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
        dtype = np.dtype(page.dtype)
        if height * width > PIXEL_LIMIT or height * width * channels * dtype.itemsize > BYTE_LIMIT:
            raise DataError(f"{self.path}: {TOO_LARGE}")
        if dtype.kind not in "buif" or int(page.imagedepth) != 1 or not height * width * channels:
            raise DataError(f"{self.path}: its values are no real numbers of one plane; convert it")
        return (height, width, channels), dtype

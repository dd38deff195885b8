"""Open an image file: the only place that starts a decoder, with every failure as one sentence."""

import importlib
import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from convscope.errors import DataError

FORMATS = {
    "PNG": "Png", "JPEG": "Jpeg", "GIF": "Gif", "BMP": "Bmp", "DIB": "Bmp", "TIFF": "Tiff", "WEBP": "WebP",
    "AVIF": "Avif", "PPM": "Ppm", "JPEG2000": "Jpeg2K", "TGA": "Tga",
}  # fmt: skip
"""The file formats that are decoded, whatever a file is called, and their modules in Pillow; MPO, several JPEG files in
one, is a JPEG. Pillow has other decoders; one of them (EPS) would start another program."""

for _module in FORMATS.values():
    with suppress(ImportError):  # Pillow before 11.3 has no AVIF
        importlib.import_module(f"PIL.{_module}ImagePlugin")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_REGISTERED = tuple(name for name in FORMATS if name in Image.OPEN)

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
        ".npy",
    ]
)
"""File extensions (lower case) of images; ``.npy`` of arrays of an image each, see `arrays`."""

PIXEL_LIMIT = 178_956_970
"""Maximum number of pixels: twice the default ``PIL.Image.MAX_IMAGE_PIXELS``, Pillow's own limit. A file of a few
kilobytes can declare billions of pixels ("decompression bomb") and fill the memory."""

TOO_LARGE = f"too large: it has more pixels than the limit of {PIXEL_LIMIT:,}; make it smaller"
_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_EXIF_FORMATS = frozenset(["exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"])  # keys of Pillow's info


@contextmanager
def open_image(source: Path | BinaryIO) -> Iterator[Image.Image]:
    """Open an image of one of `FORMATS` and check its size; any exception inside the context becomes a DataError."""
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", "image"))
    try:
        if isinstance(source, Path) and not stat.S_ISREG(os.stat(source).st_mode):  # noqa: PTH116  (half the time)
            check_regular(source)
        with Image.open(source, formats=_REGISTERED) as image:
            width, height = image.size
            if width * height > PIXEL_LIMIT:
                raise DataError(f"{name}: {TOO_LARGE}")
            yield image
    except DataError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except Exception as error:  # a decoder may raise anything on damaged bytes: OSError, SyntaxError, struct.error ...
        raise DataError(f"{name}: {error_text(source, error)}") from error


def check_regular(path: Path) -> None:
    """Refuse named pipes, sockets and devices, which could block for ever, without opening them.

    Raises:
        OSError: the file does not exist, is a folder or cannot be reached.
        DataError: it is no regular file.
    """
    kind = stat.S_IFMT(path.stat().st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(path)
    if kind != stat.S_IFREG:
        raise DataError(f"{path}: {_SPECIAL.get(kind, 'a special file')}, not an image; name a file")


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Suppress Pillow's warnings (invalid EXIF, large images): relevant problems are raised or listed as skipped."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


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


def turned_upright(values: NDArray[Any], turned: int) -> NDArray[Any]:
    """An image (H, W, C) stored with an orientation of 1 to 8, upright."""
    if turned >= 5:
        values = values.transpose(1, 0, 2)
    down = turned in (3, 4, 7, 8)
    across = turned in (2, 3, 6, 7)
    return values[:: -1 if down else 1, :: -1 if across else 1]


def has_high_bit_depth(mode: str) -> bool:
    """Whether a Pillow mode has more than 256 greys."""
    return mode.startswith(("I", "F"))  # I, I;16, I;16B, I;16L, I;16N and F


def error_text(source: Path | BinaryIO, error: Exception) -> str:
    """Why a file cannot be read, for any exception of a decoder."""
    if isinstance(error, FileNotFoundError):
        return "no such file; check the path"
    if isinstance(error, IsADirectoryError):
        return "a folder, not an image; name the files in it"
    if isinstance(error, PermissionError):
        return "permission denied; make the file readable"
    if isinstance(error, Image.DecompressionBombError):
        return TOO_LARGE
    if isinstance(error, MemoryError):
        return "too large for the free memory; make it smaller"
    if _is_empty(source):
        return "the file is empty, 0 bytes; copy it again or delete it"
    if isinstance(error, UnidentifiedImageError):
        if isinstance(source, Path) and _is_lfs_pointer(source):
            return "a git-lfs pointer, not the image; run git lfs pull"
        return "not an image in a supported format; convert it to PNG or JPEG, or delete it"
    return "damaged or truncated; copy it again or delete it"


def _is_lfs_pointer(path: Path) -> bool:
    """Whether a file is the text that git-lfs leaves in place of a large file that was not downloaded."""
    with path.open("rb") as file:
        return file.read(len(_LFS_POINTER)) == _LFS_POINTER


def _is_empty(source: Path | BinaryIO) -> bool:
    if isinstance(source, Path):
        return source.exists() and source.stat().st_size == 0
    return source.seek(0, io.SEEK_END) == 0

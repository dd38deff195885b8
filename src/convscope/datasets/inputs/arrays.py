"""Arrays as images: NumPy's ``.npy`` files, whose header is checked before anything is allocated."""

from pathlib import Path
from typing import Any

from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from convscope.datasets.inputs.opening import PIXEL_LIMIT, TOO_LARGE, check_regular, error_text
from convscope.errors import DataError

ENDING = ".npy"
START = b"\x93NUMPY"


def is_array(path: Path) -> bool:
    """Whether a file is an array, by its extension."""
    return path.suffix.lower() == ENDING


def open_array(path: Path) -> NDArray[Any]:
    """(H, W, C) of a ``.npy`` file, memory-mapped; Python objects in it are never loaded.

    The file holds (H, W), (H, W, C) or (C, H, W); of three axes the shortest is the channels, and of equal ones the
    last.

    Raises:
        DataError: it is damaged, or no image of numbers.
    """
    return _as_image(path, open_values(path))


def open_values(path: Path) -> NDArray[Any]:
    """The array of a ``.npy`` file of any shape, memory-mapped; Python objects in it are never loaded.

    Raises:
        DataError: it is damaged.
    """
    try:
        check_regular(path)
        return open_memmap(path, mode="r")
    except OSError as error:
        raise DataError(f"{path}: {error_text(path, error)}") from None
    except DataError:
        raise
    except Exception as error:  # a damaged header: ValueError, SyntaxError, UnicodeDecodeError, OverflowError ...
        objects = "Python objects" in str(error)
        why = "holds Python objects, which are not loaded; save numbers" if objects else _DAMAGED
        raise DataError(f"{path}: {why}") from None


_DAMAGED = "damaged or truncated; copy it again or delete it"


def _as_image(path: Path, values: NDArray[Any]) -> NDArray[Any]:
    shape = " x ".join(map(str, values.shape)) or "no axes"
    if values.dtype.kind not in "buif":
        raise DataError(f"{path}: an array of {values.dtype}, not of numbers; save real numbers")
    if values.ndim not in (2, 3) or not values.size:
        raise DataError(f"{path}: an array of {shape}, not an image; save height x width x channels")
    image = values[..., None] if values.ndim == 2 else values
    if values.ndim == 3 and values.shape[0] < min(values.shape[1:]):
        image = values.transpose(1, 2, 0)
    elif values.ndim == 3 and values.shape[1] <= 4 and values.shape[1] < min(values.shape[0], values.shape[2]):
        raise DataError(f"{path}: an array of {shape}, whose channels are in the middle; save them last")
    if image.shape[0] * image.shape[1] > PIXEL_LIMIT:
        raise DataError(f"{path}: {TOO_LARGE}")
    return image

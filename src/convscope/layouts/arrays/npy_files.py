"""NumPy files read without running code, and without allocating more than the file holds."""

import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.store.resources import available_memory
from convscope.errors import DataError

_DAMAGED = (ValueError, TypeError, SyntaxError, EOFError, OSError, KeyError, OverflowError, RuntimeError, MemoryError,
            RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error)  # fmt: skip


def npz_names(path: Path) -> list[str]:
    """The names of the arrays in an .npz file.

    Raises:
        DataError: it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except _DAMAGED as error:
        raise DataError(f"{path}: damaged, or no .npz file; save it again with numpy.savez") from error


def read_npz(path: Path, name: str) -> NDArray[Any]:
    """One array of an .npz file.

    Raises:
        DataError: it is damaged, holds Python objects, or does not fit in half of the free memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(f"{name}.npy")
            if info.flag_bits & 1:
                raise DataError(f"{path}: is encrypted; save it without a password")
            with archive.open(info) as file:
                return _read(file, info.file_size, f"{path}: {name}")
    except DataError:
        raise
    except _DAMAGED as error:
        raise DataError(f"{path}: {name} is damaged; save it again with numpy.savez") from error


def read_npy(path: Path) -> NDArray[Any]:
    """The array of an .npy file.

    Raises:
        DataError: as `read_npz`.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, str(path))
    except DataError:
        raise
    except _DAMAGED as error:
        raise DataError(f"{path}: damaged, or no .npy file; save it again with numpy.save") from error


def _read(file: IO[bytes], size: int, name: str) -> NDArray[Any]:
    start = io.BytesIO(file.read(min(size, 1 << 16)))
    version = np.lib.format.read_magic(start)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(start)
    if dtype.hasobject:
        raise DataError(f"{name}: holds Python objects, which could run code; save numbers or texts")
    needed = math.prod(shape) * dtype.itemsize
    if needed != size - start.tell() or min(shape, default=0) < 0 or dtype.kind not in "buifUS":
        raise DataError(f"{name}: its header and its {size:,} bytes do not match; save it again")
    if needed > 0.5 * available_memory():
        raise DataError(
            f"{name}: {needed / 1e9:.1f} GB do not fit in half of the free memory; give image files instead"
        )
    content = bytearray(start.read())
    while len(content) < needed:
        part = file.read(min(needed - len(content), 1 << 24))
        if not part:
            raise DataError(f"{name}: its header and its content do not match; save it again")
        content += part
    flat = np.frombuffer(content, dtype)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)

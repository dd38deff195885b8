"""A folder of decoded images, and of what frozen networks make of them, that later runs map instead of computing again.

Each entry is a folder ``<key>/`` with ``pixels.npy`` and ``unreadable.json``. It is written as
``<key>.<host>.<pid>.part`` and renamed when whole, so an entry is there in full or not at all, whatever is killed and
however many runs write at once.
"""

import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ENVIRONMENT = "CONVSCOPE_CACHE"
_ABANDONED = 2 * 24 * 3600.0  # seconds after which another machine's unfinished entry counts as left by a killed run


def default_folder() -> Path:
    """``$CONVSCOPE_CACHE``, else the user's cache folder of this system."""
    import platformdirs

    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else Path(platformdirs.user_cache_dir("convscope"))


def load(
    folder: Path, key: str, shape: tuple[int, ...] | None, dtype: type[np.generic] = np.uint8
) -> tuple[NDArray[Any], dict[int, str]] | None:
    """The entry's pixels or features, mapped, and its unreadable images; None when there is none or it is not sound.

    A `shape` of None is not compared.
    """
    entry = folder / key
    try:
        # Mode "c" maps privately: torch wants memory that may be written to, and the file must stay as it is.
        pixels: NDArray[Any] = np.load(entry / "pixels.npy", mmap_mode="c")
        unreadable = {int(i): str(why) for i, why in json.loads((entry / "unreadable.json").read_text()).items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError):  # cut short, or written over by something else
        shutil.rmtree(entry, ignore_errors=True)
        return None
    if shape not in (None, pixels.shape) or pixels.dtype != dtype:
        shutil.rmtree(entry, ignore_errors=True)
        return None
    with suppress(OSError):
        os.utime(entry)  # least recently used goes first
    return pixels, unreadable


@contextmanager
def write_entry(
    folder: Path, key: str, shape: tuple[int, ...], limit: int, dtype: type[np.generic] = np.uint8
) -> Iterator[tuple[NDArray[Any], dict[int, str]]]:
    """Give an empty entry to fill; it is published at the end, and gone without a trace after an error.

    Raises:
        OSError: the folder is not writable, the disk is full, or the entry alone is larger than `limit` bytes.
    """
    needed = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if needed > limit:
        raise OSError(f"{needed:,} bytes are more than the cache may hold, {limit:,}")
    folder.mkdir(parents=True, exist_ok=True)
    make_room(folder, limit - needed)
    part = folder / f"{key}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}.part"
    part.mkdir()
    try:
        unreadable: dict[int, str] = {}
        pixels = np.lib.format.open_memmap(part / "pixels.npy", mode="w+", dtype=dtype, shape=shape)
        _reserve(part / "pixels.npy")
        yield pixels, unreadable
        pixels.flush()
        (part / "unreadable.json").write_text(json.dumps(unreadable))
        _publish(part, folder / key)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def make_room(folder: Path, limit: int) -> None:
    """Delete what runs that are gone left unfinished, then the least recently used beyond `limit` bytes."""
    entries = []
    for entry in folder.iterdir():
        if entry.name.endswith(".part"):
            if _is_abandoned(entry):
                shutil.rmtree(entry, ignore_errors=True)
        elif (entry / "pixels.npy").exists():
            entries.append((entry.stat().st_mtime, (entry / "pixels.npy").stat().st_size, entry))
    held = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries):
        if held <= limit:
            break
        shutil.rmtree(entry, ignore_errors=True)  # a run that maps it keeps its pixels until it ends
        held -= size


def _publish(part: Path, entry: Path) -> None:
    try:
        part.rename(entry)
    except OSError:
        if not (entry / "unreadable.json").exists():  # else another run was first, with the same pixels
            raise


def _reserve(path: Path) -> None:
    """Claim the file's blocks now: a mapped file that the disk has no room for kills the process when written to."""
    size = path.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(path.parent).free < size:
        raise OSError(f"{size:,} bytes do not fit on the disk")


def _is_abandoned(part: Path) -> bool:
    host, _, rest = part.name.partition(".")[2].rpartition(".part")[0].partition(".")
    process = rest.split(".")[0]
    if host == socket.gethostname() and process.isdigit():
        return not _is_running(int(process))
    return time.time() - part.stat().st_mtime > _ABANDONED


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 would end it there; the age decides instead
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

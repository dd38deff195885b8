"""The cache: a folder of decoded images and features that later runs memory-map.

Each entry is a folder ``<key>/`` with ``pixels.npy``, its ``checksums.json`` and ``unreadable.json``, or with files and
``files.json``, which has their ``size`` in bytes. It is written as
``<key>.<host>.<pid>.part`` and renamed when complete, so an entry is complete or absent, even if processes are killed
or several runs write at once. The checksums are verified whenever an entry is loaded; a damaged one is deleted.
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
from numpy.typing import DTypeLike, NDArray

from convscope.datasets.store.block_checksums import block_checksums
from convscope.files import is_running, sync_folder

ENVIRONMENT = "CONVSCOPE_CACHE"
FILES = "files.json"
CHECKSUMS = "checksums.json"
_in_use: set[Path] = set()  # entries whose files this process reads, which it must not delete
_ABANDONED = 2 * 24 * 3600.0  # seconds after which an unfinished entry of another machine counts as abandoned


def default_folder() -> Path:
    """``$CONVSCOPE_CACHE``, else the user's cache folder of this system."""
    import platformdirs

    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else Path(platformdirs.user_cache_dir("convscope"))


def load(
    folder: Path, key: str, shape: tuple[int, ...] | None, dtype: DTypeLike = np.uint8
) -> tuple[NDArray[Any], dict[int, str]] | None:
    """The entry's pixels or features, memory-mapped, and its unreadable images; None if it is absent or damaged.

    A `shape` of None is not checked.
    """
    entry = folder / key
    try:
        # Mode "c" maps privately: torch needs writable memory, and the file must not change.
        pixels: NDArray[Any] = np.load(entry / "pixels.npy", mmap_mode="c")
        unreadable = {int(i): str(why) for i, why in json.loads((entry / "unreadable.json").read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):  # absent, or truncated, overwritten or without a file
        shutil.rmtree(entry, ignore_errors=True)
        return None
    if shape not in (None, pixels.shape) or pixels.dtype != dtype or not _is_intact(entry, pixels):
        shutil.rmtree(entry, ignore_errors=True)
        return None
    with suppress(OSError):
        os.utime(entry)  # least recently used entries are deleted first
    return pixels, unreadable


@contextmanager
def write_entry(
    folder: Path, key: str, shape: tuple[int, ...], limit: int, dtype: DTypeLike = np.uint8
) -> Iterator[tuple[NDArray[Any], dict[int, str]]]:
    """Yield an empty entry to fill; it is published at the end, and deleted after an error.

    Raises:
        OSError: the folder is not writable, the disk is full, or the entry alone is larger than `limit` bytes.
    """
    needed = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if needed > limit:
        raise OSError(f"{needed:,} bytes are more than the cache may hold, {limit:,}")
    make_room(folder, limit - needed)
    with _part(folder, key) as part:
        unreadable: dict[int, str] = {}
        pixels = np.lib.format.open_memmap(part / "pixels.npy", mode="w+", dtype=dtype, shape=shape)
        _reserve(part / "pixels.npy")
        yield pixels, unreadable
        pixels.flush()
        _write_synced(part / CHECKSUMS, block_checksums(pixels))
        _write_synced(part / "unreadable.json", unreadable)


def use_files(entry: Path) -> None:
    """Keep an entry of files while this process runs, and mark it as used for others."""
    os.utime(entry)  # least recently used entries are deleted first
    _in_use.add(entry)


@contextmanager
def write_files(folder: Path, key: str, limit: int) -> Iterator[Path]:
    """Yield a folder to fill with files and with `FILES`; it is published at the end, and deleted after an error.

    Raises:
        OSError: the folder is not writable, or the disk is full.
    """
    with _part(folder, key) as part:
        yield part
        make_room(folder, limit - int(json.loads((part / FILES).read_text())["size"]))


@contextmanager
def _part(folder: Path, key: str) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{key}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}.part"
    part.mkdir()
    try:
        yield part
        sync_folder(part)
        _publish(part, folder / key)
        sync_folder(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def make_room(folder: Path, limit: int) -> None:
    """Delete the unfinished entries of dead runs, then the least recently used ones beyond `limit` bytes."""
    delete_abandoned(folder)
    entries = []
    for entry in folder.iterdir() if folder.exists() else ():
        if not entry.name.endswith(".part"):
            size = _size(entry)
            if size is not None and entry not in _in_use:
                entries.append((entry.stat().st_mtime, size, entry))
    total = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries):
        if total <= limit:
            break
        shutil.rmtree(entry, ignore_errors=True)  # a run that maps it keeps access until it ends
        total -= size


def usage(folder: Path) -> tuple[int, int]:
    """Return the number of entries of a cache and their size in bytes; (0, 0) where there is no such folder."""
    sizes = [_size(entry) for entry in folder.iterdir()] if folder.is_dir() else []
    return sum(size is not None for size in sizes), sum(size or 0 for size in sizes)


def delete_abandoned(folder: Path) -> None:
    """Delete the unfinished entries of dead runs."""
    for part in folder.glob("*.part"):
        with suppress(OSError):  # another run may delete it first
            if part.is_dir() and _is_abandoned(part):
                shutil.rmtree(part, ignore_errors=True)


def _is_intact(entry: Path, pixels: NDArray[Any]) -> bool:
    try:
        return bool(json.loads((entry / CHECKSUMS).read_text()) == block_checksums(pixels))
    except (OSError, ValueError):
        return False


def _write_synced(path: Path, content: Any) -> None:
    with path.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())


def _size(entry: Path) -> int | None:
    """Bytes of an entry; None if it is none."""
    try:
        if (entry / FILES).exists():
            return int(json.loads((entry / FILES).read_text())["size"])
        return (entry / "pixels.npy").stat().st_size
    except (OSError, ValueError, KeyError):
        return None


def _publish(part: Path, entry: Path) -> None:
    try:
        part.rename(entry)
    except OSError:
        complete = (entry / "unreadable.json").exists() or (entry / FILES).exists()
        if not complete:  # else another run published the same entry first
            raise


def _reserve(path: Path) -> None:
    """Allocate the file's blocks now: writing to a mapped file on a full disk would kill the process."""
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
        return not is_running(int(process))
    return time.time() - part.stat().st_mtime > _ABANDONED

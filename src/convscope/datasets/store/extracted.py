"""Files that are extracted once from another file, such as the images in a Parquet file, and reused by later runs.

They lie in the cache as ``extracted-<key>/``, which is written under another name and renamed when complete. Their
modification time is fixed, so that a set that is extracted again counts as unchanged.
"""

import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from convscope.datasets.store import cache
from convscope.errors import DataError

LIMIT = 20 * 10**9  # bytes that all extracted files may take
_PREFIX = "extracted-"
_INDEX = "index.json"

Extracted = tuple[str, bytes]
"""The name of a file, without folders, and its content."""


def key_of(path: Path, *more: str) -> str:
    """A key that changes when a file is replaced: of its path, size and time, and of `more`."""
    known = path.stat()
    text = repr((str(path.resolve()), known.st_size, known.st_mtime_ns, *more))
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def reuse(key: str) -> tuple[Path, list[str]] | None:
    """The folder of the files of a key and their names in order, if they have been extracted; else None."""
    folder = cache.default_folder() / f"{_PREFIX}{key}"
    try:
        index = json.loads((folder / _INDEX).read_text())
        os.utime(folder)  # least recently used ones are deleted first
        return folder, [str(name) for name in index["names"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def extract(key: str, files: Iterable[Extracted | None], source: str, limit: int = LIMIT) -> tuple[Path, list[str]]:
    """Write files to the cache, and return their folder and names in order; the name of None is "".

    Raises:
        DataError: they do not fit on the disk, or are larger than `limit`.
    """
    cache_folder = cache.default_folder()
    part = cache_folder / f"{_PREFIX}{key}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}.part"
    try:
        part.mkdir(parents=True)
        names, total = [], 0
        for found in files:
            name, content = found or ("", b"")
            names.append(name)
            total += len(content)
            if total > limit:
                raise DataError(f"{source}: its images take more than {limit:,} bytes; save them as files")
            if name:
                (part / name).write_bytes(content)
                os.utime(part / name, (0, 0))
        (part / _INDEX).write_text(json.dumps({"bytes": total, "names": names}))
        _make_room(cache_folder, limit - total)
        folder = cache_folder / f"{_PREFIX}{key}"
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    except OSError as error:
        raise DataError(
            f"{source}: its images cannot be extracted to {cache_folder} ({error.strerror}); "
            f"set {cache.ENVIRONMENT} to a folder with more space"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder, names


def _make_room(folder: Path, limit: int) -> None:
    """Delete the least recently used sets beyond `limit` bytes."""
    found = []
    for entry in folder.glob(f"{_PREFIX}*"):
        if entry.suffix == ".part":  # is being written
            continue
        with suppress(OSError, ValueError, KeyError, TypeError):
            found.append((entry.stat().st_mtime, json.loads((entry / _INDEX).read_text())["bytes"], entry))
    total = sum(size for _, size, _ in found)
    for _, size, entry in sorted(found):
        if total <= limit:
            break
        shutil.rmtree(entry, ignore_errors=True)
        total -= size

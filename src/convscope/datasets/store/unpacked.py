"""Archives unpacked once into the cache, by their content, so that they are read like folders."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from convscope.datasets.dataset import Skipped
from convscope.datasets.store import cache
from convscope.datasets.store.archive_members import TAR, ZIP, Member, members
from convscope.datasets.store.decompress import Budget
from convscope.datasets.store.store import StoreSettings
from convscope.errors import ConvscopeError, DataError
from convscope.printable import encodable

MOST_FILES = 2_000_000
_CHUNK = 1 << 20
_OF_DISK = 0.9  # share of the free disk that an archive may take
_MOST_DEPTH = 64
_LONGEST = 255  # bytes of a file name, on all common file systems
_YEAR_2100 = 4_102_444_800
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Unpacked:
    """An archive's files in the cache."""

    folder: Path
    skipped: tuple[Skipped, ...]


def unpack(path: Path, settings: StoreSettings = StoreSettings()) -> Unpacked:  # noqa: B008  (frozen)
    """The files of a zip or tar archive, unpacked or from the cache.

    Files that would lie outside the folder, links, devices and archives inside the archive are skipped.

    Args:
        path: the archive.
        settings: how many bytes the cache may take.

    Raises:
        DataError: it is damaged or encrypted, unpacks to too much, or the cache cannot take it.
    """
    folder = cache.default_folder()
    try:
        key = f"unpacked-{_digest(path)}"
        if not (folder / key / cache.FILES).exists():
            folder.mkdir(parents=True, exist_ok=True)
            most = min(settings.cache_limit, int(_OF_DISK * shutil.disk_usage(folder).free))
            with cache.write_files(folder, key, settings.cache_limit) as part:
                skipped, size = _unpack(path, part / "files", Budget(path, most))
                record = {"size": size, "skipped": [[one.name, one.why] for one in skipped]}
                (part / cache.FILES).write_text(json.dumps(record))
        cache.use_files(folder / key)
        record = json.loads((folder / key / cache.FILES).read_text())
    except OSError as error:
        raise DataError(
            f"{path}: cannot be unpacked into {folder} ({error.strerror or error}); set {cache.ENVIRONMENT} to another "
            "folder, or unpack it and give the folder"
        ) from error
    return Unpacked(folder / key / "files", tuple(Skipped(name, why) for name, why in record["skipped"]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=12)).hexdigest()


def _unpack(path: Path, folder: Path, budget: Budget) -> tuple[list[Skipped], int]:
    """What was skipped, and the bytes that were written.

    Raises:
        DataError: see `unpack`.
        OSError: a file cannot be written.
    """
    skipped: list[Skipped] = []
    folder.mkdir(parents=True)
    size = files = 0
    is_zip = path.name.lower().endswith(ZIP)
    try:
        for member in members(path, budget):
            files += 1
            if files > MOST_FILES:
                raise DataError(f"{path}: holds more than {MOST_FILES:,} files; unpack it and give the folder")
            inside, why = _place(member)
            if not why and inside:
                written, why = _write(member, folder / inside, budget.take if is_zip else None)
                size += written
            if why:
                skipped.append(Skipped(encodable(member.name)[:300], why))
    except ConvscopeError:
        raise
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise
        raise DataError(f"{path}: damaged or cut short; download or copy it again") from error
    except Exception as error:  # zlib.error, BadZipFile, TarError, LZMAError, struct.error ...: many kinds
        raise DataError(f"{path}: damaged or cut short; download or copy it again") from error
    if not files:
        raise DataError(f"{path}: an archive without files; download or copy it again")
    return skipped, size


def _place(member: Member) -> tuple[str, str]:
    """The path below the folder, and why the member is not unpacked; both empty for what systems add."""
    name = member.name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or "__MACOSX" in parts:
        return "", ""
    if member.why:
        return "", member.why
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts:
        return "", "would lie outside the folder"
    if (
        "\0" in name
        or len(parts) > _MOST_DEPTH
        or any(len(part.encode("utf-8", "replace")) > _LONGEST for part in parts)
    ):
        return "", "has a name that is too long or not valid"
    if name.lower().endswith((*ZIP, *TAR, ".7z", ".rar")):
        return "", "is an archive inside the archive; unpack it and give the folder"
    return "/".join(parts), ""


def _write(member: Member, target: Path, count: Callable[[int], None] | None) -> tuple[int, str]:
    """The bytes written, and why the file was not.

    Raises:
        OSError: the disk is full or not writable.
        Exception: the archive is damaged.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            size = _copy(member.content, file, count)
    except (FileExistsError, NotADirectoryError):
        return 0, "has the name of another file or folder"
    except UnicodeEncodeError:
        return 0, "has a name that is too long or not valid"
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return 0, "has a name that is too long or not valid"
    time = member.time if 0 <= member.time < _YEAR_2100 else 0
    os.utime(target, (time, time))  # the fingerprint of data includes it, and an entry may be unpacked again
    return size, ""


def _copy(content: IO[bytes] | None, file: IO[bytes], count: Callable[[int], None] | None) -> int:
    size = 0
    while content is not None and (chunk := content.read(_CHUNK)):
        if count is not None:
            count(len(chunk))
        file.write(chunk)
        size += len(chunk)
    return size

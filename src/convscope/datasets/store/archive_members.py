"""The files in a zip or tar archive, one after the other."""

import calendar
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

from convscope.datasets.store.decompress import BoundedStream, Budget
from convscope.errors import DataError

ZIP = (".zip",)
TAR = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_BLOCK, _CHUNK = 512, 1 << 20  # a tar ends with blocks of zeros
_UTF8 = 0x800  # flag of a zip entry whose name is UTF-8


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    name: str
    time: float
    """Of the last change, in seconds since 1970."""
    content: IO[bytes] | None
    """To be read before the next member; None: it cannot be used."""
    why: str = ""
    """Why it cannot be used."""


def is_archive(path: Path) -> bool:
    """Whether a file is named as an archive that can be read."""
    return path.name.lower().endswith((*ZIP, *TAR)) and path.is_file()


def members(path: Path, budget: Budget) -> Iterator[Member]:
    """The files in an archive. What is no plain file, such as a link or a device, has a reason and no content.

    Args:
        path: the archive.
        budget: counts the bytes that a compressed tar unpacks to, also those of its headers.

    Raises:
        DataError: a zip is encrypted.
        Exception: the archive is damaged; the modules for it raise many kinds.
    """
    return _in_zip(path) if path.name.lower().endswith(ZIP) else _in_tar(path, budget)


def _in_zip(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise DataError(f"{path}: is encrypted; unpack it with its password and give the folder")
            if info.is_dir():
                continue
            name, time, mode = _zip_name(info), _zip_time(info), info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield Member(name, time, None, "is a link or a device, which is not unpacked")
            elif info.compress_type not in _METHODS:
                yield Member(name, time, None, "is compressed by a method that is not supported")
            else:
                with archive.open(info) as content:
                    yield Member(name, time, content)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name; without the flag for UTF-8 it is UTF-8 nevertheless if it can be, else of code page 437."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _zip_time(info: zipfile.ZipInfo) -> float:
    try:
        return float(calendar.timegm((*info.date_time, 0, 0, 0)))
    except ValueError:
        return 0.0


def _in_tar(path: Path, budget: Budget) -> Iterator[Member]:
    raw = BoundedStream(path, budget)
    stream = BufferedReader(raw)
    with stream, tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
        for info in archive:
            if info.isdir():
                continue
            name = _tar_name(info.name)
            if info.isreg():
                yield Member(name, float(info.mtime), archive.extractfile(info))
            else:
                yield Member(name, float(info.mtime), None, "is a link or a device, which is not unpacked")
        while stream.read(_CHUNK):
            pass
        if raw.tail != bytes(_BLOCK):  # tarfile takes the end of a cut archive for its end
            raise EOFError


def _tar_name(name: str) -> str:
    """The name; bytes that are not UTF-8 are read as Latin-1."""
    content = name.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")

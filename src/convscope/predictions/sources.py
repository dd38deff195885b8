"""The images to predict, one after the other: files, folders, patterns and archives, however many there are."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from convscope.datasets.store.archive_members import is_archive, members
from convscope.datasets.store.decompress import Budget
from convscope.errors import ConvscopeError, DataError

ARCHIVE_BYTES = 2**40
"""Bytes that may come out of an archive; it is also limited by its size, since nothing is written to disk."""
MEMBER_BYTES = 2**30


@dataclass(frozen=True)
class FileContent:
    """A file in an archive: its name, after that of the archive, and its bytes."""

    name: str
    content: bytes

    def __str__(self) -> str:
        """The name."""
        return self.name


Source = Path | FileContent


def find_sources(paths: Sequence[str | Path]) -> Iterator[Source]:
    """Yield images: named files, the files inside folders and archives, and what matches patterns such as a/**/*.jpg.

    The order is that of the arguments, and sorted inside folders; it does not depend on the file system. Only the names
    of one folder at a time are held in memory. Hidden files are skipped.

    Raises:
        DataError: a path does not exist, a pattern has no match, or there is no file; an archive is damaged.
    """
    for path in paths:
        if not Path(path).exists() and not _matches(path):
            what = (
                "no file matches; check the pattern" if _is_pattern(path) else "no such file or folder; check the path"
            )
            raise DataError(f"{path}: {what}")
    return _found(paths)


def count_sources(paths: Sequence[str | Path]) -> int | None:
    """Return the number of images in `paths`; None if there is an archive, whose files would have to be unpacked."""
    if any(is_archive(Path(path)) for path in paths):
        return None
    return sum(1 for _ in _found(paths))


def _found(paths: Sequence[str | Path]) -> Iterator[Source]:
    empty = True
    for path in paths:
        for source in _inside(path):
            empty = False
            yield source
    if empty:
        raise DataError(
            f"{', '.join(map(str, paths))}: contains no files; give image files or a folder that contains some"
        )


def _inside(path: str | Path) -> Iterator[Source]:
    named = Path(path)
    if named.is_dir():
        yield from _in_folder(named)
    elif is_archive(named):
        yield from _in_archive(named)
    elif named.exists():
        yield named
    else:
        for match in _matches(path):
            yield from () if match.is_dir() else _inside(match)


def _in_folder(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those inside it, sorted by the parts of their paths."""
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names take less memory than paths
        path = folder / name
        if name.startswith("."):
            continue
        if path.is_dir():
            if not path.is_symlink():  # may lead back here
                yield from _in_folder(path)
        elif path.is_file():
            yield path


def _in_archive(path: Path) -> Iterator[FileContent]:
    try:
        for member in members(path, Budget(path, ARCHIVE_BYTES)):
            parts = Path(member.name).parts
            if member.content is None or any(part.startswith((".", "__MACOSX")) for part in parts):
                continue
            yield FileContent(f"{path}/{member.name}", member.content.read(MEMBER_BYTES))
    except ConvscopeError:
        raise
    except Exception as error:  # zlib.error, BadZipFile, TarError, LZMAError, struct.error ...: many kinds
        raise DataError(f"{path}: damaged or cut short; download or copy it again") from error


def _is_pattern(path: str | Path) -> bool:
    return glob.has_magic(str(path))


def _matches(path: str | Path) -> list[Path]:
    """What a pattern matches, sorted by the parts of the paths."""
    found = glob.iglob(str(path), recursive=True) if _is_pattern(path) else ()  # noqa: PTH207 - Path.glob keeps no base
    return sorted(map(Path, found))


def names_of(lines: Iterable[str]) -> Iterator[Path]:
    """Yield the files that lines name, one per line, as they arrive; empty lines are skipped."""
    for line in lines:
        if name := line.rstrip("\r\n"):
            yield Path(name)

"""List the files below a folder, and compare their names."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from convscope.datasets.inputs.opening import ENDINGS
from convscope.printable import encodable

_COMPRESSED = ".nii"  # of which a compressed file has two extensions
_SYSTEM = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "__pycache__", "lost+found")
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class ListedFolder:
    """One visible folder."""

    path: Path
    names: list[str]
    """Of its visible files, in order; also of broken links."""
    unusable: tuple[tuple[str, str], ...] = ()
    """(name, why) of entries that are not opened, such as named pipes and folders without permission."""


def visible_folders(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder from `folder` down, with the names of its files, as in `visible_files`.

    Faster than `visible_files` for many files, as it creates no path object per file.
    """
    yield from ((listed.path, listed.names) for listed in walk(folder))


def visible_files(folder: Path) -> Iterator[Path]:
    """All files below a folder except hidden ones; links to folders are followed, cycles are not."""
    for parent, names in visible_folders(folder):
        yield from (parent / name for name in names)


def walk(folder: Path) -> Iterator[ListedFolder]:
    """Each visible folder from `folder` down, in order; pipes, sockets and devices are not among its names."""
    visited: set[str] = set()
    remaining = [str(folder)]
    while remaining:
        parent = remaining.pop()
        real = os.path.realpath(parent)
        if real in visited:
            continue
        visited.add(real)
        folders, names, unusable = _entries(parent)
        yield ListedFolder(Path(parent), names, unusable)
        remaining += [os.path.join(parent, name) for name in reversed(folders)]  # noqa: PTH118  (a path per file is slow)


def _entries(parent: str) -> tuple[list[str], list[str], tuple[tuple[str, str], ...]]:
    """The names of the folders and files in a folder, and the entries that are neither."""
    folders: list[str] = []
    names: list[str] = []
    unusable: list[tuple[str, str]] = []
    try:
        with os.scandir(parent) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file():
                    names.append(entry.name)
                elif why := special_file(entry):
                    unusable.append((entry.name, why))
                else:
                    names.append(entry.name)
    except OSError as error:
        unusable.append(("", f"the folder cannot be opened: {error.strerror}"))
    return sorted(folders), sorted(names), tuple(sorted(unusable))


def special_file(path: os.PathLike[str]) -> str:
    """Why a file must not be opened, because reading it could block or never end; empty for other files."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  (also takes an entry of a folder)
    except OSError:
        return ""
    return next((f"is {kind}, not a file" for is_kind, kind in _KINDS if is_kind(mode)), "")


def ending(name: str) -> str:
    """A file name's extension in lower case with its dot, as ``Path.suffix``, but for ``.nii.gz``.

    >>> ending("A.JPG"), ending(".profile"), ending("b."), ending("a.nii.gz")
    ('.jpg', '', '', '.nii.gz')
    """
    stem, dot, end = name.lower().rpartition(".")
    if end == "gz" and stem.endswith(_COMPRESSED):
        return f"{_COMPRESSED}.gz"
    return dot + end if stem and end else ""


def stem(name: str) -> str:
    """A file name without its extension.

    >>> stem("cat.0.jpg"), stem("a.nii.gz")
    ('cat.0', 'a')
    """
    return name[: len(name) - len(ending(name))]


def looks_like_image(path: Path) -> bool:
    """Whether a file has the extension of an image."""
    return ending(path.name) in ENDINGS


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden or a system folder."""
    return name.startswith(".") or name in _SYSTEM


def comparable(name: str) -> str:
    r"""A name in the form in which names are compared: printable and in Unicode's NFC.

    File systems and archives write an accent as one character or as two, which look alike.

    >>> comparable("Ka\u0308fer") == comparable("K\u00e4fer")
    True
    """
    return name if name.isascii() else normalize("NFC", encodable(name))

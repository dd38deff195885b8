"""Find the image files that a table or an annotation names."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

from convscope.datasets.cells import shown
from convscope.datasets.dataset import split_of
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending, stem, visible_folders

_FOLDERS = ("images", "image", "imgs", "img", "data")
_AMBIGUOUS = " files have the name: "
_SHOWN = 3
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_UPLOADED = re.compile(r"[0-9a-f]{8}-")  # before the name of a file that was uploaded to Label Studio
_DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True)
class _Indexed:
    """An image file below the folder, with the names of the folders between, in NFC."""

    parent: Path
    name: str
    folders: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The file; made on demand, because most files of an index are never asked for."""
        return self.parent / self.name


@dataclass(frozen=True)
class _Listed:
    """A path as listed: the folders of the last part, in NFC."""

    folders: tuple[str, ...]
    name: str


class ImageIndex:
    """The image files in and below a folder, by name and by stem; the folder is read at the first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def by_name(self) -> dict[str, list[_Indexed]]:
        """Name in NFC -> files."""
        found = defaultdict(list)
        for parent, names in visible_folders(self.folder):
            folders = tuple(normalize("NFC", part) for part in parent.relative_to(self.folder).parts)
            for name in names:
                if ending(name) in ENDINGS:
                    found[normalize("NFC", name)].append(_Indexed(parent, name, folders))
        return dict(found)

    @cached_property
    def by_stem(self) -> dict[str, list[_Indexed]]:
        """Name without extension in NFC -> files."""
        found = defaultdict(list)
        for name, files in self.by_name.items():
            found[stem(name)].extend(files)
        return dict(found)

    @cached_property
    def by_plain_stem(self) -> dict[str, list[_Indexed]]:
        """Name without extension and leading zeros, in lower case -> files."""
        found = defaultdict(list)
        for plain, files in self.by_stem.items():
            found[_plain_stem(plain)].extend(files)
        return dict(found)


@dataclass
class _Matches:
    """Values that were not found where they point to, with the files that were used, for notes."""

    count: int = 0
    first: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        return f"{self.count:,}, such as {self.first[0]} at {self.first[1]}"

    def add(self, value: str, name: str) -> None:
        self.first = self.first if self.count else (shown(value), name)
        self.count += 1


@dataclass
class PathLookup:
    """Files in and below one folder.

    A listed path is a path itself, or the end of one below the folder. Leading folders that the folder lacks are
    dropped only if all listed paths begin with them, so that they do not distinguish files. A file in another folder
    than listed is never used, however unique its name.
    """

    folder: Path
    listed: Iterable[str] = ()
    """The paths that will be looked up, if known."""
    index: ImageIndex | None = None
    aliases: dict[Path, str] = field(default_factory=dict)
    """Names of files that are not below the folder."""

    def __post_init__(self) -> None:
        self._index = self.index or ImageIndex(self.folder)
        self._prefix = os.path.join(self.folder, "")  # noqa: PTH118  (with a separator at the end)
        self._shared = shared_folders(self.listed)
        self._known: dict[tuple[str, str, Path | None], Path | str] = {}
        self._known_bases: dict[tuple[str, Path | None], list[str]] = {}
        self._by_name, self._by_tail, self._uploaded = _Matches(), _Matches(), _Matches()

    def for_paths(self, listed: Iterable[str]) -> "PathLookup":
        """The same folder for other listed paths."""
        return PathLookup(self.folder, listed, self._index, self.aliases)

    def find(self, value: str, split: str, near: Path | None = None) -> Path | str:
        """The file named `value` in a row of the split `split` ("" if none), or why there is none.

        Args:
            value: a path with separators of any system, a URL, a name, or a name without extension.
            split: the split of the row, which selects one of several files of the same name.
            near: the folder that the path is relative to, if it is not the folder of the lookup.
        """
        key = (value, split, near)
        if key not in self._known:
            self._known[key] = self._find(value, split, near)
        return self._known[key]

    def notes(self) -> list[str]:
        """How files were found that are not where they were listed."""
        notes = []
        if self._by_name.count:
            notes.append(f"file names without a folder are found in subfolders: {self._by_name}")
        if self._by_tail.count:
            notes.append(f"paths are found by their last parts: {self._by_tail}")
        if self._uploaded.count:
            notes.append(f"files are found by their names before an upload: {self._uploaded}")
        return notes

    def name(self, path: Path) -> str:
        """The file's path relative to the folder, or its alias or absolute path if it is elsewhere."""
        if path in self.aliases:
            return self.aliases[path]
        inside = str(path).startswith(self._prefix)
        return str(path)[len(self._prefix) :].replace(os.sep, "/") if inside else str(path)

    def _find(self, value: str, split: str, near: Path | None) -> Path | str:
        text = _cleaned(value)
        if not text:
            return "no file name"
        direct = self._direct(text, split, near)
        if direct is not None:
            return direct
        listed = _parts(text)
        if listed is None:
            return "no such file"
        files = self._named(listed.name)
        for kept in range(len(listed.folders), -1, -1):
            dropped = listed.folders[: len(listed.folders) - kept]
            if dropped != self._shared[: len(dropped)]:
                break
            tail = listed.folders[len(dropped) :]
            matching = [file for file in files if file.folders[len(file.folders) - kept :] == tail]
            if dropped and not kept:
                matching = [file for file in matching if self._is_plain_place(file, split)]
            if matching:
                return self._choose(matching, listed.folders, kept, (value, split))
        before = None if files else self._before_upload(listed.name)
        if before is not None:
            self._uploaded.add(value, self.name(before))
            return before
        return f"no such file{self._hint(listed, files)}"

    def _before_upload(self, name: str) -> Path | None:
        """The only file with the name that a file had before Label Studio put a prefix before it."""
        prefix = _UPLOADED.match(name)
        files = self._named(name[prefix.end() :]) if prefix else []
        return files[0].path if len(files) == 1 else None

    def _direct(self, text: str, split: str, near: Path | None) -> Path | None:
        """The file at the path itself, from the places where images lie beside a table."""
        path = text.partition("://")[2] if _URL.match(text) else text
        if _URL.match(text) and not text.lower().startswith("file:"):
            return None
        for base in self._bases(split, near):
            place = os.path.join(base, path)  # noqa: PTH118  (Path would be slow for many rows)
            if "\0" not in place and os.path.isfile(place):  # noqa: PTH113
                return Path(os.path.normpath(place))
            if os.path.isabs(path):  # noqa: PTH117
                break
        return None

    def _bases(self, split: str, near: Path | None) -> list[str]:
        key = (split, near)
        if key not in self._known_bases:
            split_folder = [self.folder / split] if split and "\0" not in split else []
            inside = [self.folder, *split_folder, *(self.folder / name for name in _FOLDERS)]
            beside = [self.folder.parent / name for name in ("", *_FOLDERS)]
            self._known_bases[key] = list(dict.fromkeys(map(str, [*([near] if near else []), *inside, *beside])))
        return self._known_bases[key]

    def _named(self, name: str) -> list[_Indexed]:
        """The files of this name; without an extension of an image, also those with this stem."""
        found = self._index.by_name.get(name)
        return found or ([] if ending(name) in ENDINGS else self._index.by_stem.get(name, []))

    def _is_plain_place(self, file: _Indexed, split: str) -> bool:
        return file.folders in ((), *((name,) for name in _FOLDERS), (split,))

    def _choose(self, files: list[_Indexed], folders: tuple[str, ...], kept: int, row: tuple[str, str]) -> Path | str:
        """One of the files whose last `kept` folders are those of the row's value; `row` is (value, split)."""
        (value, split), tail = row, folders[len(folders) - kept :]
        if len(files) > 1:
            files = [file for file in files if file.folders == tail] or files
        if len(files) > 1 and split:
            wanted = split_of(split) or split
            files = [
                file for file in files if any((split_of(part) or part) == wanted for part in file.folders)
            ] or files
        if len(files) > 1:
            names = ", ".join(self.name(file.path) for file in files[:_SHOWN])
            return f"{len(files)}{_AMBIGUOUS}{names}{', ...' if len(files) > _SHOWN else ''}"
        path = files[0].path
        if kept < len(folders):
            self._by_tail.add(value, self.name(path))
        elif not folders and files[0].folders:
            self._by_name.add(value, self.name(path))
        return path

    def _hint(self, listed: _Listed, files: list[_Indexed]) -> str:
        """A similar file that exists, as the end of the reason."""
        if files:
            where = "/".join(listed.folders[-2:])
            return f" in {shown(where)}; {self.name(files[0].path)} has the same name" if where else ""
        listed_stem = stem(listed.name) if ending(listed.name) in (*ENDINGS, ".0") else listed.name
        near = self._index.by_plain_stem.get(_plain_stem(listed_stem), [])
        near = [file for file in near if file.folders[-1:] == listed.folders[-1:]] or near
        return f"; {self.name(near[0].path)} exists" if near else ""


def shared_folders(listed: Iterable[str]) -> tuple[str, ...]:
    """The leading folders that all listed paths have in common.

    >>> shared_folders(["a/b/1.png", "a/c/2.png", "3.png"])
    ('a',)
    """
    folders = {parts.folders for parts in map(_parts, map(_cleaned, listed)) if parts is not None and parts.folders}
    if not folders:
        return ()
    equal = takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))
    return tuple(names[0] for names in equal)


def _cleaned(value: str) -> str:
    """A listed path with slashes, in NFC; the percent signs of a URL are decoded and its query is removed."""
    text = normalize("NFC", value.strip().replace("\\", "/"))
    return unquote(text.partition("?")[0].partition("#")[0]) if _URL.match(text) else text


def _parts(text: str) -> _Listed | None:
    """Folders and name of a cleaned path, without ``./``, drive and host; None if it goes up or names no file."""
    path = text.partition("://")[2].partition("/")[2] if _URL.match(text) else _DRIVE.sub("", text, count=1)
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "//", ".")]
    if not parts or ".." in parts:
        return None
    return _Listed(tuple(parts[:-1]), parts[-1])


def _plain_stem(name: str) -> str:
    return name.lstrip("0").lower()


def is_ambiguous(found: Path | str) -> bool:
    """Whether a file was not found because several have its name."""
    return isinstance(found, str) and _AMBIGUOUS in found

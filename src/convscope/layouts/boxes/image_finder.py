"""Find the images of annotations: by the longest part of the path that is given, or by the name of the annotation."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from convscope.datasets.inputs.opening import ENDINGS
from convscope.datasets.listing import ending, looks_like_image, visible_files
from convscope.layouts.split_lists import split_in_folders

_SHOWN = 3
_LONGEST = 4_096  # characters of a path


@dataclass(frozen=True)
class Listing:
    """What the paths in one annotation file have in common; see `ImageFinder.listing`."""

    drop: int = 0
    """Number of leading folders that may be omitted."""
    base: Path | None = None
    """The folder that they are relative to."""


class ImageFinder:
    """The image files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """All visible image files, in order."""
        return tuple(file for file in visible_files(self.root) if looks_like_image(file))

    def name(self, path: Path) -> str:
        """The path relative to the folder."""
        return path.relative_to(self.root).as_posix()

    def folders(self, path: Path) -> tuple[str, ...]:
        """The folders of a file below the root."""
        return path.relative_to(self.root).parts[:-1]

    def split(self, path: Path) -> str:
        """The split that the folders of an image stand for; "" if they do not."""
        return split_in_folders(self.folders(path))

    def find(self, value: str, near: Path | None = None, split: str = "", listing: Listing | None = None) -> Path | str:
        """The image that an annotation names, or why there is none.

        Args:
            value: a path with or without folders.
            near: the folder of the annotation, which takes precedence if files in several folders match.
            split: the split of the annotation, which decides after `near` and the base of the listing.
            listing: what all paths of the annotation have in common.
        """
        listing = listing or Listing()
        drop = listing.drop
        parts = path_parts(value)
        if not parts:
            return "no file name"
        if ".." in parts:
            return "leaves the data folder"
        for wanted in (parts, parts[drop:]) if 0 < drop < len(parts) else (parts,):
            found = self._ending_with(wanted)
            if found:
                return self._only(found, wanted, (near, listing.base), split)
        return "no such file"

    def listing(self, values: Sequence[str]) -> Listing:
        """What the paths in one annotation file have in common.

        Leading folders that all share may be omitted if no image is found below them: they are those of another
        machine, or the data folder itself. The base is the folder of most images that only one file can be.
        """
        parts = [path for path in map(path_parts, values) if path]
        common = common_folders(values)
        drop = 0 if common and any(map(self._ending_with, parts)) else common
        found = [(path[drop:], self._ending_with(path[drop:])) for path in parts]
        bases = Counter(files[0].parents[len(path) - 1] for path, files in found if len(files) == 1)
        return Listing(drop, bases.most_common(1)[0][0] if bases else None)

    def of_annotation(self, annotation: Path, stem: str) -> list[Path]:
        """The images with the name of an annotation file; of several, those whose folders are most like its own."""
        found = self._ending_with((stem,))
        own = annotation.relative_to(self.root).parts[:-1]
        alike = [_alike(own, self.folders(path)) for path in found]
        return [path for path, count in zip(found, alike, strict=True) if count == max(alike)]

    def folder_note(self, used: Iterable[Path]) -> list[str]:
        """A note if images that are given without a folder were found in several folders."""
        count = Counter("/".join(self.folders(path)) or "." for path in used)
        if len(count) < 2:
            return []
        shown = ", ".join(f"{folder} ({number:,})" for folder, number in count.most_common(_SHOWN))
        return [
            f"the annotations give no folder; their images are found in {len(count)} folders: "
            f"{shown}{', ...' if len(count) > _SHOWN else ''}"
        ]

    def unused_note(self, used: Iterable[Path]) -> list[str]:
        """A note if images have no annotation."""
        known = set(used)
        left = [path for path in self.files if path not in known]
        if not left:
            return []
        are = "images have" if len(left) > 1 else "image has"
        return [f"{len(left):,} {are} no annotation and {'are' if len(left) > 1 else 'is'} skipped; "
                f"the first, {self.name(left[0])}"]  # fmt: skip

    def _ending_with(self, parts: Sequence[str]) -> list[Path]:
        """The images whose path ends with these folders and this name, which may lack the ending."""
        if not parts:
            return []
        wanted = tuple(map(_key, parts))
        found = [path for path in self._by_name.get(wanted[-1], ()) if self._keys(path)[-len(wanted) :] == wanted]
        if not found and ending(parts[-1]) not in ENDINGS:
            found = [
                path for path in self._by_stem.get(wanted[-1], ()) if self._keys(path)[-len(wanted) : -1] == wanted[:-1]
            ]
        exact = [path for path in found if path.name == parts[-1]]
        return exact or found

    def _only(
        self, found: list[Path], parts: Sequence[str], places: tuple[Path | None, Path | None], split: str
    ) -> Path | str:
        near = places[0]
        exact = [place.joinpath(*parts) for place in (*places, self.root) if place is not None]
        for path in (path for path in exact if path in found):
            return path
        for closer in (
            [path for path in found if near is not None and path.is_relative_to(near)],
            [path for path in found if split and self.split(path) == split],
            found,
        ):
            if len(closer) == 1:
                return closer[0]
        shown = ", ".join(map(self.name, found[:_SHOWN]))
        return f"{len(found)} files have the name: {shown}{', ...' if len(found) > _SHOWN else ''}"

    def _keys(self, path: Path) -> tuple[str, ...]:
        return tuple(map(_key, path.relative_to(self.root).parts))

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for path in self.files:
            found[_key(path.name)].append(path)
        return dict(found)

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for path in self.files:
            found[_key(path.stem)].append(path)
        return dict(found)


def path_parts(value: str) -> tuple[str, ...]:
    r"""Folders and name of a path of any system, without drive and root.

    >>> path_parts("C:\\data\\a.jpg"), path_parts("./b.jpg")
    (('data', 'a.jpg'), ('b.jpg',))
    """
    text = value[:_LONGEST].replace("\\", "/").replace("\0", "").strip()
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    return parts[1:] if len(parts) > 1 and len(parts[0]) == 2 and parts[0].endswith(":") else parts


def common_folders(values: Iterable[str]) -> int:
    """The number of leading folders that all paths share.

    >>> common_folders(["/home/me/set/train/a.jpg", "/home/me/set/test/b.jpg"])
    3
    """
    common: tuple[str, ...] | None = None
    for folders in (path_parts(value)[:-1] for value in values):
        shared = folders if common is None else common
        count = next((i for i, pair in enumerate(zip(shared, folders)) if pair[0] != pair[1]),  # noqa: B905
                     min(len(shared), len(folders)))  # fmt: skip
        common = shared[:count]
    return len(common or ())


def same_name(first: str, second: str) -> bool:
    """Whether two file names are equal apart from the ending of an image, case and Unicode form."""
    return _without_ending(first) == _without_ending(second)


def _without_ending(name: str) -> str:
    return _key(name[: -len(ending(name))] if ending(name) in ENDINGS else name)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """The number of equal folders at the start and at the end of two paths."""
    rest = min(len(first), len(second))
    start = next((i for i in range(rest) if first[i] != second[i]), rest)
    rest -= start
    end = next((i for i in range(rest) if first[-1 - i] != second[-1 - i]), rest)
    return start + end

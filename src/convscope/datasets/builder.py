"""Builds a dataset from labelled image files, for all layouts on disk."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.class_checks import check_classes, in_order, look_alikes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.headers import Header, deep_white, read_headers
from convscope.datasets.inputs.image import ENDINGS, FULL_WHITE
from convscope.datasets.targets.mask_files import MaskFile
from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS
from convscope.errors import DataError


@dataclass(frozen=True)
class ListedFile:
    """One labelled file."""

    path: Path
    name: str
    label: str
    split: str = ""
    group: str = ""
    value: Any = None
    """The row of the targets, except for classes; for boxes only xyxy."""
    objects: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """All of a file's objects, (label, xyxy)."""
    mask: MaskFile | None = None
    mask_size: tuple[int, int] | None = None


@dataclass
class DatasetBuilder:
    """Collects the files of a layout's reader."""

    source: str
    layout: str
    files: list[ListedFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    target_kind: str = DEFAULT_KIND
    names: tuple[str, ...] = ()
    """Names of the columns of the targets, if they are not the labels of the files."""
    palette: Any = None
    headers: Mapping[Path, Header | str] = field(default_factory=dict)
    """Headers that were read before; those of all other files are read here."""

    def build(self) -> Dataset:
        """Read the headers of the files and build the dataset, sorted by name.

        Raises:
            DataError: two files have the same name, no file is an image, or the classes are invalid, see `check_classes`.
        """
        files = sorted(self.files, key=lambda listed: listed.name)
        _check_unique_names(self.source, files)
        headers = self._headers([listed.path for listed in files])
        readable: list[tuple[ListedFile, Header]] = []
        for listed, header in zip(files, headers, strict=True):
            why = header if isinstance(header, str) else self._size_mismatch(listed, header)
            if isinstance(header, Header) and not why:
                readable.append((listed, header))
            else:
                self.skipped.append(Skipped(listed.name, str(why)))
        if not readable:
            raise DataError(f"{self.source}: {_nothing_found(len(files))}")
        if self.names:
            return check_classes(self._assemble(readable, self.names))
        classes = in_order(listed.label for listed, _ in readable)
        lost = sorted({listed.label for listed in files} - set(classes))
        self.notes += [f"class {name} is skipped: none of its files can be read" for name in lost]
        self.notes += look_alikes(classes)
        return check_classes(self._assemble(readable, classes))

    def _headers(self, paths: list[Path]) -> list[Header | str]:
        missing = [path for path in paths if path not in self.headers]
        read = {**self.headers, **dict(zip(missing, read_headers(missing), strict=True))}
        return [read[path] for path in paths]

    def _size_mismatch(self, listed: ListedFile, header: Header) -> str:
        """Why the target does not match the size of the image; empty if it does."""
        size = (header.height, header.width)
        if listed.mask_size is not None and listed.mask_size != size:
            height, width = listed.mask_size
            return f"its mask is {height} x {width} and the image {size[0]} x {size[1]}"
        return TARGET_KINDS[self.target_kind].file_error(listed, size)

    def _targets(self, readable: list[tuple[ListedFile, Header]], index: dict[str, int]) -> NDArray[Any]:
        files = [(listed, (header.height, header.width)) for listed, header in readable]
        return TARGET_KINDS[self.target_kind].from_files(files, index)

    def _assemble(self, readable: list[tuple[ListedFile, Header]], classes: tuple[str, ...]) -> Dataset:
        index = {name: i for i, name in enumerate(classes)}
        groups = np.array([listed.group for listed, _ in readable])
        deep = [listed.path for listed, header in readable if header.high_bit_depth]
        white = deep_white(deep) if deep else FULL_WHITE
        if deep:
            self.notes.append(_bit_depth_note(len(deep), white))
        kind = TARGET_KINDS[self.target_kind]
        return Dataset(
            source=self.source,
            layout=self.layout,
            images=tuple(listed.path for listed, _ in readable),
            names=tuple(listed.name for listed, _ in readable),
            targets=self._targets(readable, index),
            classes=classes,
            splits=np.array([listed.split for listed, _ in readable], dtype="<U10"),
            groups=groups if (groups != "").any() else None,
            skipped=tuple(sorted(self.skipped, key=lambda skipped: skipped.name)),
            sizes=np.array([(header.height, header.width) for _, header in readable], np.int64),
            channels=1 if all(header.grey for _, header in readable) else 3,
            modes=dict(sorted(Counter(header.mode for _, header in readable).items())),
            white=white,
            notes=tuple(self.notes),
            target_kind=self.target_kind,
            masks=tuple(listed.mask for listed, _ in readable if listed.mask) if kind.has_masks else None,
            palette=self.palette,
            objects=tuple(listed.objects for listed, _ in readable) if kind.has_objects else None,
        )


def _check_unique_names(source: str, files: list[ListedFile]) -> None:
    """Check that each of the files, sorted by name, is listed once: a name stands for one image everywhere."""
    for first, second in pairwise(files):
        if first.name == second.name:
            raise DataError(f"{source}: {first.name} is listed twice; list each image once")


def visible_files(folder: Path) -> Iterator[Path]:
    """All files below a folder except hidden ones; links to folders are followed, cycles are not."""
    for parent, names in visible_folders(folder):
        yield from (parent / name for name in names)


def visible_folders(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder from `folder` down, with the names of its files, as in `visible_files`.

    Faster than `visible_files` for many files, as it creates no path object per file.
    """
    visited: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield Path(parent), sorted(name for name in files if not is_hidden(name))


def ending(name: str) -> str:
    """A file name's extension in lower case with its dot, as ``Path.suffix``.

    >>> ending("A.JPG"), ending(".profile"), ending("b.")
    ('.jpg', '', '')
    """
    stem, dot, end = name.lower().rpartition(".")
    return dot + end if stem and end else ""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden or a system folder."""
    return name.startswith(".") or name in ("__MACOSX", "@eaDir")


def looks_like_image(path: Path) -> bool:
    """Whether a file has the extension of an image."""
    return ending(path.name) in ENDINGS


def _nothing_found(files: int) -> str:
    if files:
        return f"none of its {files:,} image files can be read; copy them again"
    return "contains no images; put them in one subfolder per class"


def _bit_depth_note(count: int, white: float) -> str:
    files = f"{count:,} image{'s have' if count > 1 else ' has'} more than 8 bits per grey"
    if any(white == 2**bits - 1 for bits in (8, 10, 12, 14)):
        bits = int(white).bit_length()
        return f"{files}, of which {bits} are in use: 0 to {white:,.0f} becomes 0 to 255"
    return f"{files}: 0 to {white:,.6g} becomes 0 to 255"

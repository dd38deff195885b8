"""Builds a dataset from labelled image files, for all layouts on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.class_checks import check_classes, in_order, look_alikes, lost_classes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.file_kinds import IMAGES, FileKind, kind_of_files
from convscope.datasets.inputs.arrays import is_array
from convscope.datasets.inputs.survey import arrays_beside_images
from convscope.datasets.listing import comparable
from convscope.datasets.targets.mask_files import MaskFile
from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS
from convscope.errors import DataError
from convscope.printable import encodable


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
    headers: Mapping[Path, Any] = field(default_factory=dict)
    """Headers that were read before; those of all other files are read here."""
    file_kind: str = ""
    """The requested kind of file, a name of one of `FILE_KINDS`; "": detected."""

    def build(self) -> Dataset:
        """Read the headers of the files and build the dataset, sorted by name.

        Raises:
            DataError: two files have the same name, no file is an image, or the classes are invalid (`check_classes`).
        """
        files = sorted(map(_comparable, self.files), key=lambda listed: listed.name)
        _check_unique_names(self.source, files)
        kind, files = self._of_one_kind(files)
        if kind is IMAGES and arrays_beside_images([listed.path for listed in files]):
            beside = "an array beside image files, taken for other data of theirs; put arrays in a folder of their own"
            self.skipped += [Skipped(listed.name, beside) for listed in files if is_array(listed.path)]
            files = [listed for listed in files if not is_array(listed.path)]
        headers = self._headers([listed.path for listed in files], kind)
        readable: list[tuple[ListedFile, Any]] = []
        differing = iter(kind.differing([header for header in headers if not isinstance(header, str)]))
        for listed, header in zip(files, headers, strict=True):
            why = header if isinstance(header, str) else next(differing) or self._size_mismatch(listed, header, kind)
            if why:
                self.skipped.append(Skipped(listed.name, why))
            else:
                readable.append((listed, header))
        if not readable and any(not isinstance(header, str) for header in headers):
            first = min(self.skipped, key=lambda skipped: skipped.name)
            raise DataError(f"{self.source}: no {kind.nouns[0]} can be used; the first, {first.name}: {first.why}")
        if not readable:
            raise DataError(f"{self.source}: {_nothing_found(len(files), kind)}")
        if self.names:
            return check_classes(self._assemble(readable, self.names, kind))
        classes = in_order(listed.label for listed, _ in readable)
        lost = lost_classes(((listed.label, listed.name) for listed in files), classes, self.skipped)
        self.notes += [f"class {one.name} is skipped: none of its files can be read" for one in lost]
        self.notes += look_alikes(classes)
        return check_classes(self._assemble(readable, classes, kind), lost)

    def _of_one_kind(self, files: list[ListedFile]) -> tuple[FileKind, list[ListedFile]]:
        """The kind of most files, and the files of this kind; the others are skipped."""
        kind = kind_of_files([listed.path for listed in files], self.file_kind)
        others = [listed for listed in files if not kind.takes(listed.path)]
        if kind.flat and TARGET_KINDS[self.target_kind].spatial:
            raise DataError(f"{self.source}: {self.target_kind} are for images, and it holds {kind.nouns[1]}")
        for listed in others:
            why = f"is no {kind.nouns[0]}, as most files are; put files of each kind in a dataset of their own"
            self.skipped.append(Skipped(listed.name, why))
        return kind, self._one_per_example([listed for listed in files if kind.takes(listed.path)], kind)

    def _one_per_example(self, files: list[ListedFile], kind: FileKind) -> list[ListedFile]:
        """The files that stand for an example each, such as the first slice of each series."""
        firsts = kind.firsts([listed.path for listed in files])
        kept = [listed for listed in files if firsts[listed.path] == listed.path]
        if len(kept) < len(files):
            joined = sum(firsts[listed.path] != listed.path for listed in files)
            self.notes.append(
                f"{joined:,} files are further slices of {kind.nouns[1]}: a series of slices is one of them"
            )
        return kept

    def _headers(self, paths: list[Path], kind: FileKind) -> list[Any]:
        if not self.headers:
            return [*kind.read_headers(paths)]
        missing = [path for path in paths if path not in self.headers]
        read = {**self.headers, **dict(zip(missing, kind.read_headers(missing), strict=True))}
        return [read[path] for path in paths]

    def _size_mismatch(self, listed: ListedFile, header: Any, kind: FileKind) -> str:
        """Why the target does not match the size of the image; empty if it does."""
        if kind.flat:
            return ""
        size = (header.height, header.width)
        if listed.mask_size is not None and listed.mask_size != size:
            height, width = listed.mask_size
            return f"its mask is {height} x {width} and the image {size[0]} x {size[1]}"
        return TARGET_KINDS[self.target_kind].file_error(listed, size)

    def _targets(self, readable: list[tuple[ListedFile, Any]], index: dict[str, int], kind: FileKind) -> NDArray[Any]:
        files = [(listed, (0, 0) if kind.flat else (header.height, header.width)) for listed, header in readable]
        return TARGET_KINDS[self.target_kind].from_files(files, index)

    def _assemble(
        self, readable: list[tuple[ListedFile, Any]], classes: tuple[str, ...], files: FileKind
    ) -> Dataset:  # fmt: skip
        index = {name: i for i, name in enumerate(classes)}
        groups = np.array([listed.group for listed, _ in readable])
        kind = TARGET_KINDS[self.target_kind]
        labels = [listed.label for listed, _ in readable] if kind.single_class else None
        found = files.describe([listed.path for listed, _ in readable], [header for _, header in readable], labels)
        self.notes += found.pop("notes")
        return Dataset(
            source=self.source,
            layout=self.layout,
            images=tuple(listed.path for listed, _ in readable),
            names=tuple(listed.name for listed, _ in readable),
            targets=self._targets(readable, index, files),
            classes=classes,
            splits=np.array([listed.split for listed, _ in readable], dtype="<U10"),
            groups=groups if (groups != "").any() else None,
            skipped=tuple(
                Skipped(encodable(skipped.name), encodable(skipped.why))
                for skipped in sorted(self.skipped, key=lambda skipped: skipped.name)
            ),
            notes=tuple(map(encodable, self.notes)),
            target_kind=self.target_kind,
            masks=tuple(listed.mask for listed, _ in readable if listed.mask) if kind.has_masks else None,
            palette=self.palette,
            objects=tuple(listed.objects for listed, _ in readable) if kind.has_objects else None,
            **found,
        )


def _check_unique_names(source: str, files: list[ListedFile]) -> None:
    """Check that each of the files, sorted by name, is listed once: a name stands for one image everywhere."""
    for first, second in pairwise(files):
        if first.name == second.name:
            raise DataError(f"{source}: {first.name} is listed twice; list each image once")


def _comparable(listed: ListedFile) -> ListedFile:
    """The file with its labels in one Unicode form, and a name that can be printed."""
    if listed.label.isascii() and listed.name.isascii() and not listed.objects:
        return listed
    objects = tuple((comparable(label), box) for label, box in listed.objects)
    return replace(listed, label=comparable(listed.label), name=encodable(listed.name), objects=objects)


def _nothing_found(files: int, kind: FileKind) -> str:
    if files:
        return f"none of its {files:,} {kind.nouns[0]} files can be read; copy them again"
    return "contains no images; put them in one subfolder per class"

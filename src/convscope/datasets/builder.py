"""Builds a dataset from labelled image files, for all layouts on disk."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.class_checks import check_classes, in_order, look_alikes, lost_classes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.arrays import is_array
from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.inputs.survey import arrays_beside_images, differs, grey_note, survey, usual_channels
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
    headers: Mapping[Path, Header | str] = field(default_factory=dict)
    """Headers that were read before; those of all other files are read here."""

    def build(self) -> Dataset:
        """Read the headers of the files and build the dataset, sorted by name.

        Raises:
            DataError: two files have the same name, no file is an image, or the classes are invalid (`check_classes`).
        """
        files = sorted(map(_comparable, self.files), key=lambda listed: listed.name)
        _check_unique_names(self.source, files)
        if arrays_beside_images([listed.path for listed in files]):
            beside = "an array beside image files, taken for other data of theirs; put arrays in a folder of their own"
            self.skipped += [Skipped(listed.name, beside) for listed in files if is_array(listed.path)]
            files = [listed for listed in files if not is_array(listed.path)]
        headers = self._headers([listed.path for listed in files])
        readable: list[tuple[ListedFile, Header]] = []
        usual = usual_channels([header for header in headers if isinstance(header, Header)])
        for listed, header in zip(files, headers, strict=True):
            why = header if isinstance(header, str) else differs(header, usual) or self._size_mismatch(listed, header)
            if isinstance(header, Header) and not why:
                readable.append((listed, header))
            else:
                self.skipped.append(Skipped(listed.name, str(why)))
        if not readable and any(isinstance(header, Header) for header in headers):
            first = min(self.skipped, key=lambda skipped: skipped.name)
            raise DataError(f"{self.source}: no image can be used; the first, {first.name}: {first.why}")
        if not readable:
            raise DataError(f"{self.source}: {_nothing_found(len(files))}")
        if self.names:
            return check_classes(self._assemble(readable, self.names))
        classes = in_order(listed.label for listed, _ in readable)
        lost = lost_classes(((listed.label, listed.name) for listed in files), classes, self.skipped)
        self.notes += [f"class {one.name} is skipped: none of its files can be read" for one in lost]
        self.notes += look_alikes(classes)
        return check_classes(self._assemble(readable, classes), lost)

    def _headers(self, paths: list[Path]) -> list[Header | str]:
        if not self.headers:
            return read_headers(paths)
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
        pixels = survey([listed.path for listed, _ in readable], [header for _, header in readable])
        self.notes += pixels.notes
        kind = TARGET_KINDS[self.target_kind]
        if kind.single_class and (
            note := grey_note([listed.label for listed, _ in readable], [one for _, one in readable])
        ):
            self.notes.append(note)
        return Dataset(
            source=self.source,
            layout=self.layout,
            images=tuple(listed.path for listed, _ in readable),
            names=tuple(listed.name for listed, _ in readable),
            targets=self._targets(readable, index),
            classes=classes,
            splits=np.array([listed.split for listed, _ in readable], dtype="<U10"),
            groups=groups if (groups != "").any() else None,
            skipped=tuple(
                Skipped(encodable(skipped.name), encodable(skipped.why))
                for skipped in sorted(self.skipped, key=lambda skipped: skipped.name)
            ),
            sizes=np.array([(header.height, header.width) for _, header in readable], np.int64),
            channels=pixels.channels,
            modes=dict(sorted(Counter(header.mode for _, header in readable).items())),
            white=pixels.range.white,
            black=pixels.range.black,
            alpha=pixels.alpha,
            notes=tuple(map(encodable, self.notes)),
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


def _comparable(listed: ListedFile) -> ListedFile:
    """The file with its labels in one Unicode form, and a name that can be printed."""
    if listed.label.isascii() and listed.name.isascii() and not listed.objects:
        return listed
    objects = tuple((comparable(label), box) for label, box in listed.objects)
    return replace(listed, label=comparable(listed.label), name=encodable(listed.name), objects=objects)


def _nothing_found(files: int) -> str:
    if files:
        return f"none of its {files:,} image files can be read; copy them again"
    return "contains no images; put them in one subfolder per class"

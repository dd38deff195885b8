"""Tables of labels, numbers or boxes."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.layouts.csv_columns import (
    Columns,
    TableRow,
    box_columns,
    is_quantity,
    normalised_cell,
    number,
    numeric,
    one_hot,
    presence,
    separator_of,
    split_labels,
)
from convscope.datasets.layouts.path_lookup import PathLookup
from convscope.datasets.targets.annotations import AnnotatedImage, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.labels import LABELS
from convscope.datasets.targets.numbers import NUMBERS
from convscope.errors import DataError

NAME = "table"  # of the layout


@dataclass(frozen=True, eq=False)
class TableContent:
    """The content of a table; `free` are the columns other than image, split and group."""

    source: str
    rows: list[TableRow]
    columns: Columns
    free: list[str]
    lookup: PathLookup

    def files(self, skipped: list[Skipped]) -> Iterator[tuple[TableRow, Path, str, str]]:
        """(row, file, split, group) of the rows whose file exists; the others are added to `skipped`."""
        for line, row in enumerate(self.rows, start=2):  # row 1 is the header
            word = row.get(self.columns.split or "", "").strip()
            value = row[self.columns.image or ""].strip()
            split = split_of(word) if word else ""
            if split is None:
                raise DataError(
                    f"{self.source}: row {line} has {word!r} in column {self.columns.split}; "
                    "use train, validation or test, or leave it blank"
                )
            file = self.lookup.find(value, word)
            if isinstance(file, str):
                skipped.append(Skipped(value or f"row {line}", file))
            else:
                yield row, file, split, row.get(self.columns.group or "", "").strip()


def detect_target_kind(rows: list[TableRow], free: list[str], label: str | None) -> str:
    """Detect the kind of target of a table: boxes, labels, numbers, or else classes.

    Args:
        rows: the table.
        free: the columns other than image, split and group.
        label: the label column, given or detected by name.
    """
    if box_columns(free):
        return BOXES.name
    if len(one_hot(rows, free)) > 1:
        return LABELS.name
    column = label or (free[0] if len(free) == 1 else None)
    if column is None or column not in rows[0]:
        numbers = numeric(rows, free)
        return NUMBERS.name if any(is_quantity([row[name] for row in rows]) for name in numbers) else CLASSES.name
    values = [row[column] for row in rows]
    if separator_of(values):
        return LABELS.name
    return NUMBERS.name if numeric(rows, [column]) and is_quantity(values) else CLASSES.name


def read_labels(content: TableContent) -> Dataset:
    """Several labels per image: columns of 1, 0 or blank (unknown), or one column of labels with separators.

    Raises:
        DataError: there are no such columns, or no listed file exists.
    """
    columns = one_hot(content.rows, content.free)
    if columns:
        return _build_dataset(
            content, LABELS.name, tuple(columns), lambda row: [presence(row[name]) for name in columns]
        )
    column = content.columns.label or (content.free[0] if len(content.free) == 1 else None)
    column = column or next(
        (name for name in content.free if normalised_cell(name) in ("labels", "tags", "label")), None
    )
    if column is None:
        raise DataError(
            f"{content.source}: no columns of 0 and 1 and no column for the labels among {', '.join(content.free)}; "
            "set the label column"
        )
    separator = separator_of([row[column] for row in content.rows]) or "|"
    names = tuple(sorted({label for row in content.rows for label in split_labels(row[column], separator)}))

    def presence_of(row: TableRow) -> list[float]:
        labels = split_labels(row[column], separator)
        return [float(name in labels) if labels else math.nan for name in names]

    return _build_dataset(content, LABELS.name, names, presence_of)


def read_numbers(content: TableContent) -> Dataset:
    """One or several numbers per image; images with a missing number are skipped.

    Raises:
        DataError: there is no column of numbers, or no listed file exists.
    """
    columns = numeric(content.rows, content.free)
    if not columns:
        raise DataError(f"{content.source}: no column of numbers among {', '.join(content.free)}; set the label column")
    return _build_dataset(content, NUMBERS.name, tuple(columns), lambda row: [number(row[name]) for name in columns])


def read_boxes(content: TableContent) -> Dataset:
    """One object per row: its class, and its box as x1 y1 x2 y2 or x y width height, in pixels.

    Raises:
        DataError: there are no columns of boxes, or no valid box.
    """
    columns = box_columns(content.free)
    if columns is None:
        raise DataError(
            f"{content.source}: no columns of boxes among {', '.join(content.free)}; "
            "name them xmin, ymin, xmax, ymax or x, y, w, h"
        )
    left = [name for name in content.free if name not in columns.names]
    label = next(
        (name for name in left if normalised_cell(name) in ("label", "class", "category", "name", "class_name")), None
    )
    skipped: list[Skipped] = []
    images: dict[Path, AnnotatedImage] = {}
    for row, file, split, group in content.files(skipped):
        image = images.setdefault(file, AnnotatedImage(file, content.lookup.name(file), split, group=group))
        image.objects.append((row[label] if label else "object", columns.box(row)))
    return largest_objects(content.source, NAME, images.values(), skipped)


READERS: dict[str, Callable[[TableContent], Dataset]] = {
    LABELS.name: read_labels,
    NUMBERS.name: read_numbers,
    BOXES.name: read_boxes,
}


def _build_dataset(
    content: TableContent, kind: str, names: tuple[str, ...], value: Callable[[TableRow], list[float]]
) -> Dataset:
    listing = DatasetBuilder(content.source, NAME, target_kind=kind, names=names)
    listing.notes.append(f"columns used: {content.columns.image} for image, {kind}: {', '.join(names)}")
    found: dict[Path, list[ListedFile]] = {}
    for row, file, split, group in content.files(listing.skipped):
        listed = ListedFile(file, content.lookup.name(file), "", split, group, value=value(row))
        found.setdefault(file, []).append(listed)
    for entries in found.values():
        why = _missing_reason(kind, entries)
        if why:
            listing.skipped.append(Skipped(entries[0].name, why))
        else:
            listing.files.append(entries[0])
    if not listing.files:
        first = listing.skipped[0]
        raise DataError(f"{content.source}: no row can be used; the first, {first.name}: {first.why}")
    return listing.build()


def _missing_reason(kind: str, entries: list[ListedFile]) -> str:
    first = entries[0]
    if any(_differ(other, first) for other in entries[1:]):
        return "rows disagree about it"
    known = [math.isfinite(value) for value in first.value]
    if kind == NUMBERS.name and not all(known):
        return "a number is missing or not finite"
    return "" if any(known) else "has no label"


def _differ(a: ListedFile, b: ListedFile) -> bool:
    def comparable(listed: ListedFile) -> Any:
        return [None if math.isnan(value) else value for value in listed.value], listed.split

    return bool(comparable(a) != comparable(b))

"""Which column of a table means what: image, split, group, and those that may be the target."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from convscope.datasets.cells import is_missing, shown
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending
from convscope.errors import DataError, did_you_mean
from convscope.layouts.path_lookup import PathLookup
from convscope.layouts.tables.annotation_cells import unread_annotation
from convscope.layouts.tables.column_words import (
    GROUP,
    IMAGE,
    INDEX,
    LABELS,
    NO_COLUMN,
    OBJECT_LABEL,
    SIZES,
    SPLIT,
    SPLIT_FLAGS,
    named,
    plain_name,
)
from convscope.layouts.tables.rows import TableRow, TableRows

_TRIED = 20  # rows whose values are looked up on disk to detect the image column
_MADE = re.compile(r"Unnamed: \d+(\.\d+)*|__index_level_\d+__")
CONSTANT = "one value"
_WHOLE = re.compile(r"\d{1,15}(\.0)?", re.ASCII)


class Columns(BaseModel, frozen=True, extra="forbid"):
    """Names of the columns; None: detected by name or content.

    `label` may be several names separated by commas. Split and group may be absent; "none" or "-" says that they are.
    """

    image: str | None = None
    text: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class PlacedColumns:
    """The columns of a table by their meaning."""

    image: str
    labels: tuple[str, ...] = ()
    """Given by the user."""
    split: str | None = None
    group: str | None = None
    free: tuple[str, ...] = ()
    """The other columns, except those that are left out."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Column -> why it cannot be the target."""


def place_columns(table: TableRows, columns: Columns, lookup: PathLookup, source: str) -> PlacedColumns:
    """The columns by their meaning; given ones take precedence over detected ones.

    Raises:
        DataError: a given column does not exist, or no column names image files.
    """
    names = table.names
    split, group = (
        None if given in NO_COLUMN and given not in names else given for given in (columns.split, columns.group)
    )
    labels = _given_labels(columns.label, names)
    for given in (columns.image, *labels, split, group):
        if given is not None and given not in names:
            raise DataError(f"{source}: no column {given}{did_you_mean(given, names)}")
    taken = [given for given in (columns.image, *labels, split, group) if given]
    split = split or (None if columns.split else named(names, (*SPLIT, *SPLIT_FLAGS), taken))
    group = group or (None if columns.group else named(names, GROUP, taken))
    others = [name for name in names if name not in (*taken, split, group)]
    image = columns.image or _image_column(table, others, lookup)
    if image is None:
        shown_names = shown(", ".join(names), 300)
        raise DataError(f"{source}: no column names image files, of {shown_names}; set the image column")
    others = [name for name in others if name != image]
    left_out = _left_out(table, others)
    free = tuple(name for name in others if name not in left_out)
    return PlacedColumns(image, labels, split, group, free, left_out)


def _given_labels(label: str | None, names: Sequence[str]) -> tuple[str, ...]:
    """The label columns given by the user: one, or several separated by commas, each once."""
    if label is None or label in names:
        return () if label is None else (label,)
    return tuple(dict.fromkeys(word.strip() for word in label.split(",") if word.strip()))


def _image_column(table: TableRows, names: list[str], lookup: PathLookup) -> str | None:
    """The column with most existing files; a common name breaks ties, or decides if no file exists.

    An index is considered only if no other column names files, because a number may be a file's name by chance.
    """
    if table.images:
        return named(table.images, IMAGE) or table.images[0]
    some = table.rows[:: max(1, len(table.rows) // _TRIED)][:_TRIED]
    counted = {name for name in names if plain_name(name) != "id" and _is_index(name, table)}
    common = named([name for name in names if name not in counted], IMAGE)

    def merit(name: str) -> tuple[int, bool, int, bool, int]:
        hits = _existing(some, name, lookup)
        endings = sum(ending(row[name].strip()) in ENDINGS for row in some)
        return 0 if name in counted else hits, endings > 0, hits, name == common, endings

    merits = {name: merit(name) for name in names}
    best = max(names, key=lambda name: merits[name], default=None)
    usable = best is not None and (merits[best][2] or (common is None and merits[best][1]))
    return best if usable else common


def _existing(rows: list[TableRow], name: str, lookup: PathLookup) -> int:
    """How many cells of a column name existing files."""
    values = [row[name].strip() for row in rows]
    there = lookup.for_paths(values)
    return sum(
        isinstance(there.find(value, "", row.file.folder), Path)
        for value, row in zip(values, rows, strict=True)
        if value
    )


def _left_out(table: TableRows, names: list[str]) -> dict[str, str]:
    """The columns that number the rows, are empty, name files, describe these, hold annotations, or have one value.

    Why is said for each. Sizes and constants are targets if nothing else is left.
    """
    unnamed = [name for name in names if plain_name(name) not in (*OBJECT_LABEL, *LABELS)]
    left_out = {name: "an index" for name in unnamed if _is_index(name, table)}
    left_out |= {name: "empty" for name in unnamed if all(is_missing(row[name]) for row in table.rows)}
    some = table.rows[:: max(1, len(table.rows) // _TRIED)]
    left_out |= {name: "file names" for name in names if all(ending(row[name].strip()) in ENDINGS for row in some)}
    rest = [name for name in names if name not in left_out]
    left_out |= {name: why for name in rest if (why := unread_annotation(table.column(name)))}
    rest = [name for name in rest if name not in left_out]
    weak = {name: CONSTANT for name in rest if name in unnamed and len(set(table.column(name))) == 1}
    plain = {plain_name(name) for name in rest}
    sizes = {word for words in SIZES if plain.issuperset(words) for word in words}
    weak |= {name: "of the file" for name in rest if plain_name(name) in sizes}
    if len(weak) < len(rest):
        left_out |= weak
    return left_out


def _is_index(name: str, table: TableRows) -> bool:
    """Whether a column without a name, or with that of an index, counts the rows."""
    if _MADE.fullmatch(name) is None and plain_name(name) not in INDEX:
        return False
    made = _MADE.fullmatch(name) is not None
    values = [value.strip() for value in table.column(name)]
    if not all(_WHOLE.fullmatch(value) for value in values):
        return made and len(set(values)) == len(values)
    numbers = [int(value.partition(".")[0]) for value in values]
    return made or (len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers))))

"""Tables of several labels per image."""

import math
from collections.abc import Callable, Sequence

from convscope.datasets.cells import (
    LONGEST_LABEL,
    SEPARATORS,
    is_presence,
    list_of,
    shown,
    split_labels,
)
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.labels import LABELS as LABELS_KIND
from convscope.layouts.tables.column_words import LABELS, named, plain_name
from convscope.layouts.tables.content import Entries, TableContent, build_dataset, new_builder
from convscope.layouts.tables.presence_columns import presence_columns, presence_notes, presence_reader
from convscope.layouts.tables.rows import TableRow

_MOST_LABELS = 10_000
_ROWS_PER_CLASS = 4  # rows for each different cell with commas, from which on cells are read as classes


def separator_of(column: str, values: Sequence[str]) -> str | None:
    """The separator of several labels in a cell: one whose parts also occur as labels elsewhere.

    A blank is one only if the column's name is that of several labels, such as tags.
    """
    if any(list_of(value) is not None for value in values[:100]):
        return SEPARATORS[0]
    for separator in (*SEPARATORS, *([" "] if plain_name(column) in LABELS else [])):
        if not any(separator in value for value in values):
            continue
        split = [split_labels(value, separator) for value in values]
        if not any(len(labels) > 1 for labels in split):
            continue
        often = [label for labels in split for label in labels]
        if len(set(often)) < len(often) and len(set(often)) <= len(set(values)) + 1:
            return separator
    return None


def are_classes(column: str, values: Sequence[str], separator: str) -> bool:
    """Whether cells with commas are class names such as "apple, healthy": there are few of them, each often."""
    if separator != "," or plain_name(column) in LABELS:
        return False
    known = [value.strip() for value in values if value.strip()]
    return len(known) >= _ROWS_PER_CLASS * len(set(known))


def read_labels(content: TableContent) -> Dataset:
    """Several labels per image: columns of 1, 0 or blank (unknown), or one column of labels with separators.

    Raises:
        DataError: there are no such columns, or no listed file exists.
    """
    columns = presence_columns(content)
    if columns and set(content.columns.labels) <= set(columns):
        content.notes.extend(presence_notes(content, columns))
        return _build(content, columns, columns, presence_reader(content, columns))
    column = _separated_column(content)
    values = content.table.column(column)
    separator = separator_of(column, values) or SEPARATORS[0]
    labels = {value: split_labels(value, separator) for value in set(values)}
    names = _names(content, column, {label for found in labels.values() for label in found})
    if any(len(found) > 1 for found in labels.values()):
        content.notes.append(_separated_note(column, values, separator))

    def presence(row: TableRow) -> list[float]:
        found = labels[row[column]]
        return [float(name in found) if found else math.nan for name in names]

    return _build(content, names, (column,), presence)


def _separated_column(content: TableContent) -> str:
    placed = content.columns
    if len(placed.labels) > 1:
        raise content.error(_not_presence(content))
    column = placed.labels[0] if placed.labels else named(placed.free, (*LABELS, "label"))
    column = column or (placed.free[0] if len(placed.free) == 1 else None)
    if column is None:
        among = shown(", ".join(placed.free), 300)
        raise content.error(f"no columns of 0 and 1 and no column for the labels among {among}; set the label column")
    return column


def _not_presence(content: TableContent) -> str:
    """The first cell of several given columns that is none of 0 and 1."""
    for row in content.table.rows:
        for name in content.columns.labels:
            if not is_presence(row[name]):
                return (
                    f"{row.place} has {shown(row[name])!r} in column {name}; "
                    "use 1, 0, -1 or a blank in several label columns, or give one column of labels"
                )
    empty = next((name for name in content.columns.labels if not any(map(str.strip, content.table.column(name)))), "")
    return f"column {empty} of the label columns is empty; remove it"


def _names(content: TableContent, column: str, labels: set[str]) -> tuple[str, ...]:
    """The labels in order.

    Raises:
        DataError: there are none, or they are text.
    """
    longest = max(labels, key=len, default="")
    if not labels:
        raise content.error(f"column {column} has no label; set the label column")
    if len(labels) > _MOST_LABELS:
        raise content.error(f"column {column} has {len(labels):,} different labels; set the label column")
    if len(longest) > LONGEST_LABEL:
        raise content.error(
            f"column {column} has the label {shown(longest, 40)!r} of {len(longest):,} characters; set the label column"
        )
    return tuple(sorted(labels))


def _separated_note(column: str, values: Sequence[str], separator: str) -> str:
    if any(list_of(value) is not None for value in values[:100]):
        return f"the lists in {column} are read as several labels; --task classify takes each as one class"
    return f"{column} is split at {separator!r} into several labels; --task classify takes each cell as one class"


def _build(
    content: TableContent, names: tuple[str, ...], columns: tuple[str, ...], value: Callable[[TableRow], list[float]]
) -> Dataset:
    builder = new_builder(content, LABELS_KIND.name, names)
    builder.notes += [content.used(labels=", ".join(columns)), *content.unused(columns)]
    found: Entries = {}
    for row in content.files(builder.skipped):
        values = value(row.row)
        if all(map(math.isnan, values)):
            builder.skipped.append(Skipped(row.name, "has no label"))
        else:
            found.setdefault(row.file, []).append((row.row, row.listed(value=values)))
    return build_dataset(content, builder, found, "no row can be used")

"""Tables of one class per image."""

from dataclasses import replace

from convscope.datasets.cells import LONGEST_LABEL, label_of, shown, without_point
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.classes import CLASSES
from convscope.layouts.class_names import named_classes
from convscope.layouts.tables.column_words import LABEL, named
from convscope.layouts.tables.content import Entries, TableContent, build_dataset, new_builder
from convscope.layouts.tables.labels import are_classes, separator_of
from convscope.layouts.tables.presence_columns import presence_columns, presence_reader

_MANY_NUMBERS = 10  # whole numbers as classes, from which on they may be quantities
_MANY_VALUES = 20  # classes, from which on they may be no classes if most occur once


def label_column(content: TableContent) -> str | None:
    """The label column: given, of a common name, or the only one left."""
    placed = content.columns
    if placed.labels:
        return placed.labels[0] if len(placed.labels) == 1 else None
    return named(placed.free, LABEL) or (placed.free[0] if len(placed.free) == 1 else None)


def read_classes(content: TableContent) -> Dataset:
    """One class per image: the cell of a column, or the column of several that is 1.

    Raises:
        DataError: there is no such column, or no row gives a labelled file.
    """
    column = label_column(content)
    if column is None:
        return _read_one_hot(content)
    builder = new_builder(content, CLASSES.name)
    builder.notes += [content.used(label=column), *content.unused((column,))]
    found: Entries = {}
    for row in content.files(builder.skipped):
        label = label_of(row.row[column])
        if not label or len(label) > LONGEST_LABEL:
            builder.skipped.append(Skipped(row.name, _no_label(row.row[column])))
        else:
            found.setdefault(row.file, []).append((row.row, row.listed(label)))
    found = _whole_numbers(found)
    builder.notes += _class_notes(content, column, found)
    _check_repeat(content, column, found)
    names, notes = named_classes(
        content.lookup.folder, {listed.label for entries in found.values() for _, listed in entries}
    )
    found = _renamed(found, names)
    builder.notes += notes
    rows = len(content.table.rows)
    return build_dataset(content, builder, found, f"none of its {rows:,} rows gives a labelled file")


def _check_repeat(content: TableContent, column: str, found: Entries) -> None:
    """Refuse texts of which each occurs once, such as captions, as classes."""
    labels = {entries[0][1].label for entries in found.values()}
    if len(labels) == len(found) >= _MANY_NUMBERS and not all(label.lstrip("+-").isdigit() for label in labels):
        raise content.error(
            f"column {column} has another value for each of {len(found):,} images, such as {shown(min(labels), 40)!r}, "
            "so it is no class; set the label column"
        )


def _class_notes(content: TableContent, column: str, found: Entries) -> list[str]:
    notes = []
    classes = {listed.label for entries in found.values() for _, listed in entries}
    if len(classes) > _MANY_NUMBERS and all(name.lstrip("+-").isdigit() for name in classes):
        notes.append(f"{len(classes)} whole numbers in {column} are read as classes; --task regress takes the numbers")
    elif len(classes) > max(_MANY_VALUES, len(found) / 2):
        notes.append(f"{column} has {len(classes):,} different values for {len(found):,} images; is it the class?")
    values = content.table.column(column)
    separator = separator_of(column, values)
    if separator and are_classes(column, values, separator):
        notes.append(f"cells of {column} with commas are read as classes; --task multilabel splits them at commas")
    if "-1" in classes:
        notes.append(f"-1 in {column} is read as a class; leave the cell empty if it means unknown")
    return notes


def _no_label(cell: str) -> str:
    if len(cell) > LONGEST_LABEL:
        return f"its label has {len(cell):,} characters, more than a class name can have"
    word = shown(cell)
    return f"has no label ({word}); rename the class if it is one" if word else "has no label"


def _whole_numbers(found: Entries) -> Entries:
    """Labels such as 2.0 as 2, if all are whole numbers."""
    return _renamed(found, without_point(list({listed.label for entries in found.values() for _, listed in entries})))


def _renamed(found: Entries, names: dict[str, str]) -> Entries:
    return (
        {
            file: [(row, replace(listed, label=names.get(listed.label, listed.label))) for row, listed in entries]
            for file, entries in found.items()
        }
        if names
        else found
    )


def _read_one_hot(content: TableContent) -> Dataset:
    columns = presence_columns(content)
    if not columns:
        raise content.error(_no_column(content))
    builder = new_builder(content, CLASSES.name)
    builder.notes += [content.used(label=", ".join(columns)), *content.unused(columns)]
    builder.notes.append("the class of an image is the column that is 1")
    read = presence_reader(content, columns)
    found: Entries = {}
    for row in content.files(builder.skipped):
        present = [name for name, value in zip(columns, read(row.row), strict=True) if value == 1]
        if len(present) == 1:
            found.setdefault(row.file, []).append((row.row, row.listed(present[0])))
        else:
            why = f"is {' and '.join(present[:3])}, and a classifier needs one" if present else "is of no class"
            builder.skipped.append(Skipped(row.name, why))
    return build_dataset(content, builder, found, "no row has one class")


def _no_column(content: TableContent) -> str:
    placed = content.columns
    if placed.labels:
        given = shown(", ".join(placed.labels), 300)
        return f"the label columns {given} are not all of 0 and 1; give one column of classes"
    names = [name for name in (placed.image, *placed.free, placed.split, placed.group) if name]
    names += [f"{name} ({why})" for name, why in placed.left_out.items()]
    return f"no column for the label among {shown(', '.join(names), 300)}; set the label column"

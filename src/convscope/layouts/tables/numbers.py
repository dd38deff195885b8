"""Tables of one or several numbers per image."""

import math

from convscope.datasets.cells import UNKNOWN, NumberFormat, is_number, number_format, plain, shown
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.numbers import NUMBERS
from convscope.layouts.tables.content import Entries, TableContent, build_dataset, new_builder

_ALMOST = 0.8  # share of a column's cells that are numbers, from which on another cell is an error


def number_columns(content: TableContent) -> tuple[str, ...]:
    """The columns whose cells are numbers or missing; of given ones only these."""
    names = content.columns.labels or content.columns.free
    return tuple(name for name in content.table.names if name in names and _share(content, name) == 1)


def is_quantity(content: TableContent, column: str) -> bool:
    """Whether a column's numbers are quantities, not class names: some are not integers.

    Raises:
        DataError: a few cells are not numbers.
    """
    share = _share(content, column)
    if share < _ALMOST:
        return False
    known = [cell for cell in content.table.column(column) if is_number(cell)]
    numbers = map(_format(content, column).read, known)
    fractions = any(value != int(value) for value in numbers if math.isfinite(value))
    if fractions and share < 1:
        raise content.error(_odd_cell(content, column))
    return fractions


def read_numbers(content: TableContent) -> Dataset:
    """One or several numbers per image; images with a missing number are skipped.

    Raises:
        DataError: there is no column of numbers, or no listed file exists.
    """
    columns = number_columns(content)
    for name in content.columns.labels:
        if name not in columns:
            raise content.error(_odd_cell(content, name))
    if not columns:
        among = shown(", ".join(content.columns.free), 300)
        raise content.error(f"no column of numbers among {among}; set the label column")
    builder = new_builder(content, NUMBERS.name, columns)
    builder.notes += [content.used(numbers=", ".join(columns)), *content.unused(columns)]
    formats = {name: _format(content, name) for name in columns}
    commas = [name for name, written in formats.items() if written.decimal_comma]
    if commas:
        builder.notes.append(f"commas in {shown(', '.join(commas))} are read as decimal points")
    found: Entries = {}
    for row in content.files(builder.skipped):
        values = [written.read(row.row[name]) for name, written in formats.items()]
        if all(map(math.isfinite, values)):
            found.setdefault(row.file, []).append((row.row, row.listed(value=values)))
        else:
            builder.skipped.append(Skipped(row.name, "a number is missing or not finite"))
    return build_dataset(content, builder, found, "no row can be used")


def _share(content: TableContent, column: str) -> float:
    """The share of numbers among the cells that are not missing; 0 if all are missing."""
    known = [cell for cell in content.table.column(column) if plain(cell) not in UNKNOWN]
    return sum(map(is_number, known)) / len(known) if known else 0.0


def _format(content: TableContent, column: str) -> NumberFormat:
    return number_format(content.table.column(column), f"{content.source}: column {column}")


def _odd_cell(content: TableContent, column: str) -> str:
    """What is wrong with the first cell that is not a number."""
    for row in content.table.rows:
        if plain(row[column]) not in UNKNOWN and not is_number(row[column]):
            what = f"{row.place} has {shown(row[column])!r} in column {column}, which is no number"
            return f"{what}; correct it or leave it blank"
    return f"column {column} is empty; set the label column"

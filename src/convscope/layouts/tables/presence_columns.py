"""Columns of 0 and 1, one per label."""

import math
from collections.abc import Callable, Sequence

from convscope.datasets.cells import UNKNOWN, is_presence, is_uncertain, plain, presence
from convscope.layouts.tables.columns import CONSTANT
from convscope.layouts.tables.content import TableContent
from convscope.layouts.tables.rows import TableRow


def presence_columns(content: TableContent) -> tuple[str, ...]:
    """The columns that contain only 0, 1, -1 and blanks, if there are at least two; of given ones only these.

    A column with one value counts if at least two others vary.
    """
    placed, table = content.columns, content.table
    found = [name for name in placed.labels or placed.free if has_presence(table.column(name))]
    if len(found) > 1 and not placed.labels:
        constant = [name for name, why in placed.left_out.items() if why == CONSTANT]
        found += [name for name in constant if has_presence(table.column(name))]
    return tuple(name for name in table.names if name in found) if len(found) > 1 else ()


def has_presence(cells: Sequence[str]) -> bool:
    """Whether all cells are 0, 1, -1 or missing, and not all are missing."""
    known = set(map(plain, cells))
    return all(map(is_presence, known)) and not known <= UNKNOWN


def negative_is_zero(content: TableContent, columns: Sequence[str]) -> bool:
    """Whether -1 stands for 0: where no column has a 0 or a blank. Elsewhere it is unknown."""
    cells = {plain(row[name]) for row in content.table.rows for name in columns}
    return any(map(is_uncertain, cells)) and not any(presence(cell) == 0 or cell in UNKNOWN for cell in cells)


def presence_reader(content: TableContent, columns: Sequence[str]) -> Callable[[TableRow], list[float]]:
    """A function of a row: 1, 0 or nan (unknown) for each column."""
    negative = 0.0 if negative_is_zero(content, columns) else math.nan
    return lambda row: [negative if is_uncertain(row[name]) else presence(row[name]) for name in columns]


def presence_notes(content: TableContent, columns: Sequence[str]) -> list[str]:
    """What -1 is read as, and whether the labels exclude each other."""
    notes = []
    if any(is_uncertain(row[name]) for row in content.table.rows for name in columns):
        notes.append(f"-1 is read as {'0' if negative_is_zero(content, columns) else 'unknown'}")
    read = presence_reader(content, columns)
    expected = [0.0] * (len(columns) - 1) + [1.0]
    if all(sorted(read(row)) == expected for row in content.table.rows):
        notes.append("each row has one 1, so the labels exclude each other; --task classify reads them as classes")
    return notes

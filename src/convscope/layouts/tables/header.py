"""Names of the columns of a CSV file: its header, or made ones if it has none."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from convscope.datasets.cells import is_missing, is_number, shown
from convscope.datasets.csv_file import CsvContent, Record
from convscope.datasets.dataset import Skipped
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending
from convscope.errors import DataError
from convscope.layouts.path_lookup import PathLookup
from convscope.layouts.tables.column_words import GROUP, IMAGE, LABEL, LABELS, SPLIT, plain_name
from convscope.layouts.tables.rows import TableFile, TableRow, TableRows

_KNOWN = frozenset((*IMAGE, *LABEL, *LABELS, *SPLIT, *GROUP))
_TRIED = 20  # rows that are compared with the first
_RETINANET = ("path", "x1", "y1", "x2", "y2", "class_name")


def name_columns(content: CsvContent, file: TableFile, lookup: PathLookup, source: str) -> TableRows:
    """The rows of a CSV file with the names of their columns.

    Rows with more cells than columns are skipped; missing cells at the end are blank. A column without a name is called
    ``Unnamed: 0``, as pandas does.

    Raises:
        DataError: the file has no rows, or two columns have the same name.
    """
    records, notes = content.records, list(content.notes)
    commented = _commented_header(content)
    if not records and commented is None:
        raise DataError(f"{source}: the file is empty; list at least one image per class")
    if commented is not None:
        header, rows = commented, records
    elif _is_row(records, lookup):
        header, rows = _made_names(records), records
        notes.append(f"no header: the columns are called {', '.join(header)}")
    else:
        header, rows = records[0][1], records[1:]
    table = TableRows(_names(header, rows, source), [], notes)
    _add_rows(table, rows, file)
    return table


def _commented_header(content: CsvContent) -> list[str] | None:
    """The last comment before the rows if it names their columns, as ``# image,label``."""
    if not content.comments or not content.records:
        return None
    cells = content.comments[-1].lstrip("#").split(content.delimiter)
    width, words = len(content.records[0][1]), {plain_name(cell) for cell in cells}
    first = {plain_name(cell) for cell in content.records[0][1]}
    return cells if len(cells) == width and words & _KNOWN and not first & _KNOWN else None


def _is_row(records: list[Record], lookup: PathLookup) -> bool:
    """Whether the first record is no header: a cell names an image like the cells below it, or an existing file."""
    first = records[0][1]
    if any(plain_name(cell) in _KNOWN for cell in first):
        return False
    below = [cells for _, cells in records[1 : 1 + _TRIED]]
    for column, cell in enumerate(first):
        others = [cells[column] for cells in below if column < len(cells)]
        if _is_image_name(cell) and (isinstance(lookup.find(cell, ""), Path) or _most(map(_is_image_name, others))):
            return True
        exists = isinstance(lookup.for_paths(others).find(cell, ""), Path)
        if exists and others and _most(isinstance(lookup.find(other, ""), Path) for other in others):
            return True
    return False


def _is_image_name(cell: str) -> bool:
    return ending(cell.strip()) in ENDINGS


def _most(true: Iterable[bool]) -> bool:
    known = list(true)
    return sum(known) > len(known) / 2


def _made_names(records: list[Record]) -> list[str]:
    """The names of RetinaNet's columns for rows of a path, four numbers or blanks, and a class; else numbers."""
    some = [cells for _, cells in records[:_TRIED]]
    if all(len(cells) == len(_RETINANET) for cells in some) and all(
        is_number(cell) or is_missing(cell) for cells in some for cell in cells[1:5]
    ):
        return list(_RETINANET)
    return [f"column {i}" for i in range(1, len(some[0]) + 1)]


def _names(header: list[str], rows: list[Record], source: str) -> list[str]:
    """The header on one line each, with made names; R leaves out the name of a first column of row names."""
    names = [" ".join(name.split()) for name in header]
    if rows and all(len(cells) == len(names) + 1 and cells[-1].strip() for _, cells in rows):
        names = ["", *names]
    while len(names) > 1 and not names[-1] and not any(cells[len(names) - 1 : len(names)] != [""] for _, cells in rows):
        names.pop()
    names = [name or f"Unnamed: {i}" for i, name in enumerate(names)]
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise DataError(f"{source}: two columns are called {shown(repeated)!r}; rename one")
    return names


def _add_rows(table: TableRows, rows: list[Record], file: TableFile) -> None:
    names, width = table.names, len(table.names)
    for number, cells in rows:
        if any(cell.strip() for cell in cells[width:]):
            why = f"has {len(cells)} cells, and the header {width}; quote a cell that holds the delimiter"
            table.skipped.append(Skipped(f"{file.place}row {number}", why))
            continue
        table.rows.append(TableRow(dict(zip(names, cells, strict=False)), number, file))

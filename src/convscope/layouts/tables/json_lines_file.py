"""Rows of a file with one JSON object per line, such as metadata.jsonl."""

from convscope.datasets.dataset import Skipped
from convscope.datasets.json_lines import json_objects
from convscope.layouts.tables.rows import TableFile, TableRow, TableRows


def read_json_lines(content: bytes, file: TableFile) -> TableRows:
    """The objects of a file, one row each; a line that is none is skipped with the reason.

    The columns are the keys of all objects in the order of their first occurrence; a missing key is a blank cell. A
    list or an object within a cell is kept as JSON.
    """
    found: list[tuple[int, dict[str, str]]] = []
    table = TableRows([], [])
    names: dict[str, None] = {}
    for number, cells in json_objects(content):
        if isinstance(cells, str):
            table.skipped.append(Skipped(f"{file.place}line {number}", cells))
        else:
            names.update(dict.fromkeys(cells))
            found.append((number, cells))
    table.names.extend(names)
    table.rows.extend(TableRow(cells, number, file) for number, cells in found)
    return table

"""Rows of a file with one JSON object per line, such as metadata.jsonl."""

import json

from convscope.datasets.cells import as_cell, shown
from convscope.datasets.dataset import Skipped
from convscope.layouts.tables.rows import TableFile, TableRow, TableRows


def read_json_lines(content: bytes, file: TableFile) -> TableRows:
    """The objects of a file, one row each; a line that is none is skipped with the reason.

    The columns are the keys of all objects in the order of their first occurrence; a missing key is a blank cell. A
    list or an object within a cell is kept as JSON.
    """
    found: list[tuple[int, dict[str, str]]] = []
    table = TableRows([], [])
    names: dict[str, None] = {}
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").split("\n"), start=1):
        if not line.strip():
            continue
        cells = _object(line)
        if isinstance(cells, str):
            table.skipped.append(Skipped(f"{file.place}line {number}", cells))
        else:
            names.update(dict.fromkeys(cells))
            found.append((number, cells))
    table.names.extend(names)
    table.rows.extend(TableRow(cells, number, file) for number, cells in found)
    return table


def _object(line: str) -> dict[str, str] | str:
    """The cells of a line, or why it has none."""
    try:
        content = json.loads(line)
        if not isinstance(content, dict):
            return f"is not a JSON object: {shown(line, 40)}"
        return {" ".join(str(name).split()): as_cell(value) for name, value in content.items()}
    except RecursionError:
        return "is nested too deeply"
    except ValueError as error:
        return f"is not JSON: {shown(str(error))}"

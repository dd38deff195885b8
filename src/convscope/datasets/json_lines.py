"""Files with one JSON object per line."""

import json
from collections.abc import Iterator

from convscope.datasets.cells import as_cell, shown


def json_objects(content: bytes) -> Iterator[tuple[int, dict[str, str] | str]]:
    """The number of each line from 1, without blank ones, and its cells by key, or why it has none.

    A list or an object within a cell is kept as JSON.
    """
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").split("\n"), start=1):
        if line.strip():
            yield number, _object(line)


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

"""Tables and JSON on stdout."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from convscope.printable import printable


def table_of(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a plain table, wrapped to the width of the terminal, if any."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(printable(str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, markup=False, emoji=False, width=width).print(table)


def print_json_lines(records: Iterable[object]) -> None:
    """Print one JSON object per line, each as soon as it is available."""
    for record in records:
        print(json.dumps(record), flush=True)


def print_json(content: object) -> None:
    """Print one JSON document."""
    print(json.dumps(content, indent=2))

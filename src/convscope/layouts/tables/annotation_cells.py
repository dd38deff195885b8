"""Columns of annotations that are written as text in a form that is not read: such a cell is no class name."""

import re
from collections.abc import Sequence

from convscope.datasets.cells import is_missing

_RUNS = re.compile(r"\d+ \d+( \d+ \d+)+", re.ASCII)
_BOXES = re.compile(r"([^\s\d]\S*( -?\d+(\.\d+)?){4,5}( |$))+", re.ASCII)
_BOX = 3  # blanks between the four numbers of a box, which two runs may look like
_TRIED = 50  # cells that are compared


def unread_annotation(cells: Sequence[str]) -> str:
    """What the cells of a column hold if it is run-length encoded masks or boxes after names; empty if neither.

    >>> unread_annotation(["1 3 10 5", "", "4 4 9 2 30 1"])
    'run-length encoded masks, which are not read'
    >>> unread_annotation(["n01440764 3 4 20 30", "n01443537 1 1 9 9 n01443537 2 2 5 5"])
    'boxes as text, which are not read'
    """
    some = [cell.strip() for cell in cells if not is_missing(cell)][:_TRIED]
    if not some:
        return ""
    if all(_RUNS.fullmatch(cell) for cell in some) and any(cell.count(" ") > _BOX for cell in some):
        return "run-length encoded masks, which are not read"
    return "boxes as text, which are not read" if all(_BOXES.fullmatch(cell) for cell in some) else ""

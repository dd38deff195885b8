"""Columns of a table: detection of classes, labels, numbers and boxes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

TableRow = dict[str, str]


class Columns(BaseModel, frozen=True, extra="forbid"):
    """Names of the columns; None: detected by name or content. Split and group may be absent."""

    image: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None


_BOXES = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
_SIDES = (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("left", "top", "width", "height"))
_UNKNOWN = ("", "?", "nan", "na", "none", "unknown")
_PRESENT = {"1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0}
_SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True)
class BoxColumns:
    """Four columns; `width_height` if the last two are width and height."""

    names: tuple[str, str, str, str]
    width_height: bool

    def box(self, row: TableRow) -> tuple[float, float, float, float]:
        """A row's box, xyxy; nan if a cell is not a number."""
        a, b, c, d = (number(row[name]) for name in self.names)
        return (a, b, a + c, b + d) if self.width_height else (a, b, c, d)


def box_columns(names: Sequence[str]) -> BoxColumns | None:
    """The columns of a box, or None."""
    plain = {name.strip().lower().replace(" ", "_"): name for name in names}
    for words, width_height in (*((words, False) for words in _BOXES), *((words, True) for words in _SIDES)):
        if all(word in plain for word in words):
            a, b, c, d = (plain[word] for word in words)
            return BoxColumns((a, b, c, d), width_height)
    return None


def one_hot(rows: Sequence[TableRow], names: Sequence[str]) -> list[str]:
    """The columns that contain only 0, 1 and blanks, if there are at least two."""
    found = [
        name
        for name in names
        if all(normalised_cell(row[name]) in _PRESENT or normalised_cell(row[name]) in _UNKNOWN for row in rows)
        and any(normalised_cell(row[name]) in _PRESENT for row in rows)
    ]
    return found if len(found) > 1 else []


def presence(text: str) -> float:
    """1, 0, or nan for a blank."""
    return _PRESENT.get(normalised_cell(text), math.nan)


def separator_of(values: Sequence[str]) -> str | None:
    """The separator of several labels in a cell: one whose parts also occur as labels elsewhere."""
    for separator in _SEPARATORS:
        split = [split_labels(value, separator) for value in values if value.strip()]
        if not any(len(labels) > 1 for labels in split):
            continue
        often = [label for labels in split for label in labels]
        if len(set(often)) < len(often) and len(set(often)) <= len(set(values)) + 1:
            return separator
    return None


def split_labels(value: str, separator: str) -> list[str]:
    """The labels of a cell."""
    return [label.strip() for label in value.split(separator) if label.strip()]


def numeric(rows: Sequence[TableRow], names: Sequence[str]) -> list[str]:
    """The columns whose cells are numbers or blanks."""
    return [
        name
        for name in names
        if any(normalised_cell(row[name]) not in _UNKNOWN for row in rows)
        and all(normalised_cell(row[name]) in _UNKNOWN or not math.isnan(number(row[name])) for row in rows)
    ]


def is_quantity(values: Sequence[str]) -> bool:
    """Whether numbers are quantities, not class names: some are not integers."""
    numbers = {number(value) for value in values if normalised_cell(value) not in _UNKNOWN}
    return any(value != int(value) for value in numbers if math.isfinite(value))


def number(text: str) -> float:
    """The number in a cell, nan for anything else."""
    try:
        return float(text.strip())
    except ValueError:
        return math.nan


def normalised_cell(text: str) -> str:
    """A cell's text, normalised for comparison."""
    return text.strip().lower()

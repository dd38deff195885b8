"""What the columns of a table hold: one class, several labels, numbers or boxes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

Row = dict[str, str]


class Columns(BaseModel, frozen=True, extra="forbid"):
    """Which column holds what; None: found by its name or its content. Split and group may be absent."""

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
_THERE = {"1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0}
_MARKS = ("|", ";", ",")


@dataclass(frozen=True)
class BoxColumns:
    """Four columns; `sided` when the last two are width and height."""

    names: tuple[str, str, str, str]
    sided: bool

    def box(self, row: Row) -> tuple[float, float, float, float]:
        """A row's box, xyxy; nan where a cell is no number."""
        a, b, c, d = (number(row[name]) for name in self.names)
        return (a, b, a + c, b + d) if self.sided else (a, b, c, d)


def box_columns(names: Sequence[str]) -> BoxColumns | None:
    """The columns that hold a box, if there are such."""
    plain = {name.strip().lower().replace(" ", "_"): name for name in names}
    for words, sided in (*((words, False) for words in _BOXES), *((words, True) for words in _SIDES)):
        if all(word in plain for word in words):
            a, b, c, d = (plain[word] for word in words)
            return BoxColumns((a, b, c, d), sided)
    return None


def one_hot(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The columns that hold nothing but 0, 1 and blanks, when there are at least two."""
    found = [
        name
        for name in names
        if all(cell(row[name]) in _THERE or cell(row[name]) in _UNKNOWN for row in rows)
        and any(cell(row[name]) in _THERE for row in rows)
    ]
    return found if len(found) > 1 else []


def presence(text: str) -> float:
    """1, 0, or nan for a blank."""
    return _THERE.get(cell(text), math.nan)


def mark_of(values: Sequence[str]) -> str | None:
    """The mark between several labels in a cell: one whose parts are also labels by themselves elsewhere."""
    for mark in _MARKS:
        split = [parts(value, mark) for value in values if value.strip()]
        if not any(len(labels) > 1 for labels in split):
            continue
        often = [label for labels in split for label in labels]
        if len(set(often)) < len(often) and len(set(often)) <= len(set(values)) + 1:
            return mark
    return None


def parts(value: str, mark: str) -> list[str]:
    """The labels of a cell."""
    return [label.strip() for label in value.split(mark) if label.strip()]


def numeric(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The columns whose cells are numbers, blanks apart."""
    return [
        name
        for name in names
        if any(cell(row[name]) not in _UNKNOWN for row in rows)
        and all(cell(row[name]) in _UNKNOWN or not math.isnan(number(row[name])) for row in rows)
    ]


def is_quantity(values: Sequence[str]) -> bool:
    """Whether numbers are quantities rather than names of classes: some is no whole one."""
    found = {number(value) for value in values if cell(value) not in _UNKNOWN}
    return any(value != int(value) for value in found if math.isfinite(value))


def number(text: str) -> float:
    """The number in a cell, nan for anything else."""
    try:
        return float(text.strip())
    except ValueError:
        return math.nan


def cell(text: str) -> str:
    """A cell's text for comparing."""
    return text.strip().lower()

"""Cells of tables: missing values, numbers, presence of labels, and lists of labels."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from convscope.errors import DataError

MISSING = frozenset({"", "?", "nan", "na", "n/a", "#n/a", "<na>", "none", "null", "nil", "nat"})
"""Cells without a value, in lower case."""
UNKNOWN = MISSING | {"unknown"}
"""Cells without a value where numbers, or 0 and 1, are expected."""
SEPARATORS = ("|", ";", ",")
LONGEST_LABEL = 200

_PRESENT = {"1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0}
_UNCERTAIN = ("-1", "-1.0")
_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_SPACED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u202f]\d{3})+([.,]\d*)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_SHOWN = 80


def shown(text: str, length: int = _SHOWN) -> str:
    """A cell or a name for a message: on one line, and cut if it is long."""
    line = one_line(text)
    return line if len(line) <= length else f"{line[: length - 3]}..."


def one_line(text: str) -> str:
    """Text without line breaks and repeated blanks, which can be written as UTF-8."""
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode()


def as_cell(value: Any) -> str:
    """A value of JSON or Parquet as the text of a cell; blank for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def plain(text: str) -> str:
    """A cell's text, for comparison."""
    return text.strip().lower()


def is_missing(text: str) -> bool:
    """Whether a cell has no value.

    >>> is_missing(" NaN "), is_missing("0")
    (True, False)
    """
    return plain(text) in MISSING


def label_of(text: str) -> str:
    """A cell's class or label on one line; empty if it has none."""
    return "" if is_missing(text) else one_line(text)


def presence(text: str) -> float:
    """1, 0, or nan for anything else."""
    return _PRESENT.get(plain(text), math.nan)


def is_presence(text: str) -> bool:
    """Whether a cell is 0 or 1, missing, or -1."""
    word = plain(text)
    return word in _PRESENT or word in UNKNOWN or word in _UNCERTAIN


def is_uncertain(text: str) -> bool:
    """Whether a cell is -1."""
    return plain(text) in _UNCERTAIN


def is_number(text: str) -> bool:
    """Whether a cell is a number in any notation that `NumberFormat` reads."""
    word = text.strip()
    return any(notation.fullmatch(word) for notation in (_POINT, _COMMA, _GROUPED, _SPACED))


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written."""

    decimal_comma: bool = False

    def read(self, text: str) -> float:
        """The number in a cell, nan for anything else; numbers beyond 1.8e308 are infinite."""
        word = text.strip()
        if _SPACED.fullmatch(word):
            word = "".join(word.split())
        if self.decimal_comma and _COMMA.fullmatch(word):
            return float(word.replace(",", "."))
        if not self.decimal_comma and _GROUPED.fullmatch(word):
            return float(word.replace(",", ""))
        return float(word) if _POINT.fullmatch(word) else math.nan


def number_format(values: Iterable[str], place: str) -> NumberFormat:
    """How the numbers of a column are written, from all its cells.

    Args:
        values: the cells.
        place: the column, for the message.

    Raises:
        DataError: a comma may separate decimals or thousands.
    """
    cells = ["".join(value.split()) for value in values if "," in value]
    commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
    grouped = [cell for cell in cells if _GROUPED.fullmatch(cell)]
    sure_decimal = any(not _GROUPED.fullmatch(cell) or cell.lstrip("+-").startswith("0") for cell in commas)
    sure_grouped = any(not _COMMA.fullmatch(cell) for cell in grouped)
    if commas and sure_decimal == sure_grouped:
        value = shown(commas[0])
        raise DataError(
            f"{place}: {value} may be {value.replace(',', '.')} or {value.replace(',', '')}; "
            "write its numbers with a point for decimals and nothing between thousands"
        )
    return NumberFormat(decimal_comma=bool(commas) and sure_decimal)


def without_point(labels: Sequence[str]) -> dict[str, str]:
    """Labels such as 1.0, 2.0 -> 1, 2, if all are whole numbers and some are written with a point.

    >>> without_point(["1.0", "10.0"]), without_point(["1.0", "1.5"])
    ({'1.0': '1', '10.0': '10'}, {})
    """
    if not any("." in label for label in labels) or not all(_WHOLE.fullmatch(label) for label in labels):
        return {}
    return {label: label.partition(".")[0] for label in labels}


def split_labels(cell: str, separator: str) -> list[str]:
    """The labels of a cell: of a list in JSON or Python notation, or text with separators."""
    listed = list_of(cell)
    words = [str(word) for word in listed] if listed is not None else cell.split(separator)
    return [label for label in map(label_of, words) if label]


def list_of(cell: str) -> list[Any] | None:
    """The list that a cell holds in JSON or Python notation; None if it holds none.

    >>> list_of('["a", "b"]'), list_of("[1, 2.5]"), list_of("a")
    (['a', 'b'], [1, 2.5], None)
    """
    text = cell.strip()
    if text[:1] + text[-1:] not in ("[]", "()"):
        return None
    inside = f"[{text[1:-1].rstrip(',')}]"
    for written in (inside, inside.replace("'", '"')):
        with suppress(ValueError, RecursionError):
            found: list[Any] = json.loads(written)
            return found
    return None

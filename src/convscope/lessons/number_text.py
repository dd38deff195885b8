"""Numbers as learners write them: fractions, decimal commas, spaces, brackets, percent signs."""

import re
from collections.abc import Iterator
from fractions import Fraction

from convscope.printable import printable

LONGEST = 10_000  # characters of an answer
_SIGNS = str.maketrans({"−": "-", "–": "-", "＝": "=", "，": ",", "·": ".", "\u00a0": " ", "\u202f": " ", "\t": " "})
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_TOKEN = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?(%?)")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:([ ,'_])\d{3})(?:\1\d{3})*")
_HELP = "write numbers like 3, -0.5, 2/3 or 1,5"


class UnreadableAnswerError(ValueError):
    """An answer that cannot be read; the text says why and how to write it."""


def read_numbers(text: str, shape: tuple[int, ...], whole: bool) -> tuple[Fraction, ...]:
    """Return the numbers of a text in row order.

    Args:
        text: numbers between spaces or commas; rows end with a semicolon, a bar or a line break.
        shape: () for one number, (n,) for a list, (rows, columns) for a grid. A grid may also be written as one list.
        whole: whether whole numbers are expected: "1,234" is then a thousand, else a decimal comma.

    Raises:
        UnreadableAnswerError: it is empty, has something else than numbers, or too few or too many.

    >>> read_numbers("1,5", (), False), read_numbers("1,234", (), True), read_numbers("2 / 3", (), False)
    ((Fraction(3, 2),), (Fraction(1234, 1),), (Fraction(2, 3),))
    >>> read_numbers("[[1, 2], [3, 4]]", (2, 2), True) == read_numbers("1 2; 3 4", (2, 2), True)
    True
    """
    rows = _rows(_cleaned(text))
    expected = 1
    for length in shape:
        expected *= length
    readings = [_tokens(rows, reading) for reading in _readings(rows, whole)]
    tokens = next((found for found in readings if sum(map(len, found)) == expected), readings[0])
    values = [[_value(token) for token in row] for row in tokens]
    found = sum(map(len, values))
    if found != expected:
        raise UnreadableAnswerError(
            f"{_counted(found)}, where {_counted(expected)} {'is' if expected == 1 else 'are'} expected"
            + (f": {shape[0]} rows of {shape[1]}, with ; between rows" if len(shape) == 2 else "")
        )
    if len(shape) == 2 and len(values) > 1 and [len(row) for row in values] != [shape[1]] * shape[0]:
        lengths = ", ".join(str(len(row)) for row in values)
        raise UnreadableAnswerError(f"rows of {lengths} numbers, where {shape[0]} rows of {shape[1]} are expected")
    return tuple(value for row in values for value in row)


def _cleaned(text: str) -> str:
    if len(text) > LONGEST:
        raise UnreadableAnswerError(f"{len(text):,} characters; an answer has at most {LONGEST:,}")
    plain = re.sub(r"^\s*[A-Za-z]\w* *[=≈]", "", text.translate(_SIGNS)).strip().strip("()").lstrip("=≈~ ").strip()
    if not plain:
        raise UnreadableAnswerError(f"no answer; {_HELP}")
    return re.sub(r" *([/%]) *", lambda mark: mark[1] + (" " if mark[1] == "%" else ""), plain).strip()


def _rows(text: str) -> list[str]:
    separated = re.sub(r"\][,\s]*\[", ";", text)
    rows = re.split(r"[;|\n]", re.sub(r"[\[\](){}]", " ", separated))
    return [row.strip() for row in rows if row.strip(" ,")]


def _readings(rows: list[str], whole: bool) -> Iterator[str]:
    """Yield the ways to read commas and spaces, the likeliest first."""
    if whole and len(rows) == 1 and _THOUSANDS.fullmatch(rows[0]):
        yield "thousands"
    if any(re.search(r"\d, |, ?$", row) for row in rows) or not any("," in row for row in rows):
        yield "separator"
        yield "decimal"
    else:
        yield "decimal"
        yield "separator"


def _tokens(rows: list[str], reading: str) -> list[list[str]]:
    if reading == "thousands":
        return [[re.sub(r"[ ,'_]", "", row)] for row in rows]
    return [row.replace(",", " " if reading == "separator" else ".").split() for row in rows]


def _value(token: str) -> Fraction:
    match = _TOKEN.fullmatch(token)
    if not match:
        raise UnreadableAnswerError(f"{printable(token[:40])}: not a number; {_HELP}")
    above, below, percent = match.groups()
    if below is not None and not Fraction(below):
        raise UnreadableAnswerError(f"{token[:40]}: division by zero; {_HELP}")
    return Fraction(above) / Fraction(below or 1) / (100 if percent else 1)


def _counted(number: int) -> str:
    return f"{number} number{'' if number == 1 else 's'}"

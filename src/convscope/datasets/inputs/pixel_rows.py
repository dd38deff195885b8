"""Recognise images that are written as rows of numbers: a pixel per column, or all pixels in one cell."""

import re
from collections.abc import Sequence
from itertools import islice

SMALLEST = 8
"""Pixels of the shorter side from which a row of numbers is an image."""
_NAMES = re.compile(r"(pixel|px|pix|attr)[-_ ]?\d+|\d+[x_]\d+", re.IGNORECASE)
_BYTE = re.compile(r"\d{1,3}(\.0*)?", re.ASCII)
_MOST = 255


def picture_shape(values: int) -> tuple[int, int, int] | None:
    """(H, W, C) of a square image of so many values, grey or in colour; None if there is none.

    >>> picture_shape(784), picture_shape(2352), picture_shape(100), picture_shape(96)
    ((28, 28, 1), (28, 28, 3), (10, 10, 1), None)
    """
    for channels in (1, 3):
        side = round(max(0, values / channels) ** 0.5)
        if side >= SMALLEST and side * side * channels == values:
            return side, side, channels
    return None


def pixel_columns(header: Sequence[str]) -> list[int]:
    """The columns of a header that are called like pixels: pixel0, px_1, 28x28."""
    return [place for place, name in enumerate(header) if _NAMES.fullmatch(name.strip())]


def label_beside_pixels(rows: Sequence[Sequence[str]]) -> int | None:
    """The column of the labels in rows without a header that are a label and the pixels of a square image.

    It is the first or the last column; of these the one that has several values, or the first. None if the rows are
    of other length, or not all of their numbers are whole and between 0 and 255.
    """
    width = len(rows[0]) if rows else 0
    if not picture_shape(width - 1) or any(len(row) != width for row in rows):
        return None
    for place in (0, width - 1):
        inside = (cell for row in rows for i, cell in enumerate(row) if i != place)
        varies = len({row[place] for row in rows}) > 1
        if (varies or place) and all(map(is_byte, inside)):
            return place
    return None


def is_byte(cell: str) -> bool:
    """Whether a cell is a whole number from 0 to 255."""
    plain = cell.strip()
    return _BYTE.fullmatch(plain) is not None and float(plain) <= _MOST


def pixels_in_cell(cell: str) -> int:
    """The number of values of a cell that holds all pixels of a square image between blanks; 0 if it does not."""
    if cell.count(" ") < SMALLEST * SMALLEST - 1:
        return 0
    words = cell.split()
    return len(words) if picture_shape(len(words)) and all(map(is_byte, islice(words, 1000))) else 0

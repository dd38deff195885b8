"""Class names of masks, from the files that label tools and data sets put beside them."""

import csv
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convscope.errors import DataError

FILES = (
    "classes.txt",
    "labels.txt",
    "label_colors.txt",
    "labelmap.txt",
    "class_dict.csv",
    "codes.txt",
    "label_names.txt",
    "_classes.csv",
    "dataset.json",
)
_LABELME_IGNORE = "__ignore__"  # has no value in the masks that labelme exports
_MOST_BYTES = 1 << 20  # of a file of names
_CVAT = re.compile(r"(?P<name>[^:]*):(?P<colour>\d+\s*,\s*\d+\s*,\s*\d+)?:[^:]*:[^:]*")
_COLOUR_FIRST = re.compile(r"(?P<colour>\d+[\s,]+\d+[\s,]+\d+)[\s,]+(?P<name>\S.*)")
_COLOUR_LAST = re.compile(r"(?P<name>.*\S)[\s,;:]+(?P<colour>\d+[\s,]+\d+[\s,]+\d+)")


@dataclass(frozen=True)
class NamesFile:
    """The names in a file in their order, and the colour of each, 0xRRGGBB; no colours if any is missing."""

    file: str
    names: tuple[str, ...]
    colours: tuple[int, ...] = ()


def read_names(folder: Path) -> NamesFile | None:
    """The names from the first of `FILES` in a folder: one per line, also with colours.

    Colours are as in CamVid (``64 128 64 Animal``, or a table with name, r, g, b) and CVAT (``road:128,64,128::``).

    Raises:
        DataError: the file is no text, or a name or colour occurs twice.
    """
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        return None
    if file.suffix == ".json":
        return _json_names(file)
    lines = [line.strip() for line in _text(file).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#") and line != _LABELME_IGNORE]
    if numbered := _numbered(lines) if file.suffix == ".csv" else ():
        return NamesFile(file.name, numbered)
    rows = _table_rows(lines) if file.suffix == ".csv" else [_row(line) for line in lines]
    names = tuple(name for name, _ in rows)
    colours = tuple(colour for _, colour in rows if colour is not None)
    for found in (names, colours if len(colours) == len(names) else ()):
        twice = next((one for i, one in enumerate(found) if one in found[:i]), None)
        if twice is not None:
            shown = f"#{twice:06x}" if isinstance(twice, int) else twice
            raise DataError(f"{file}: has {shown} twice; remove one")
    if not names:
        raise DataError(f"{file}: has no names; write one class per line, or delete it")
    return NamesFile(file.name, names, colours if len(colours) == len(names) else ())


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(_MOST_BYTES + 1)
    try:
        if len(content) <= _MOST_BYTES:
            return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise DataError(f"{file}: not a list of class names in UTF-8; write one class per line, or delete it")


def _row(line: str) -> tuple[str, int | None]:
    for pattern in (_CVAT, _COLOUR_FIRST, _COLOUR_LAST):
        match = pattern.fullmatch(line)
        colour = _colour(re.split(r"[\s,]+", match["colour"])) if match and match["colour"] else None
        if match and (colour is not None or pattern is _CVAT):
            return match["name"].strip(), colour
    return line, None


def _table_rows(lines: list[str]) -> list[tuple[str, int | None]]:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    except csv.Error:  # a cell longer than the module's limit
        return []
    rows = [row for row in rows if len(row) >= 4]
    if rows and _colour(rows[0][1:4]) is None:
        rows = rows[1:]  # the header
    return [(row[0], _colour(row[1:4])) for row in rows]


def _json_names(file: Path) -> NamesFile | None:
    """The names in nnU-Net's dataset.json, {"labels": {"background": 0, "liver": 1}}; None if it has none."""
    with suppress(ValueError, RecursionError, DataError):
        content = json.loads(_text(file))
        labels = content.get("labels") if isinstance(content, dict) else None
        if isinstance(labels, dict):
            pairs = [
                (str(value), name) if isinstance(value, int) else (name, str(value)) for name, value in labels.items()
            ]
            named = dict(pairs)
            names = [named.get(str(number), "") for number in range(len(named))]
            return NamesFile(file.name, tuple(names)) if all(names) and len(set(names)) == len(names) else None
    return None


def _numbered(lines: list[str]) -> tuple[str, ...]:
    """The names of a table of two columns, the values 0 to K in order and their names, as Roboflow writes it."""
    pairs = [[cell.strip() for cell in line.split(",", 1)] for line in lines]
    pairs = [pair for pair in pairs if len(pair) == 2][1:]  # without the header
    in_order = [value for value, _ in pairs] == [str(i) for i in range(len(pairs))]
    return tuple(name for _, name in pairs) if in_order else ()


def _colour(parts: list[str]) -> int | None:
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 4]
    if len(numbers) != 3 or max(numbers) > 255:
        return None
    return (numbers[0] << 16) + (numbers[1] << 8) + numbers[2]

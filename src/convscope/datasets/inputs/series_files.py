"""Series in text files and arrays: UCR .tsv, UEA .ts, .arff, CSV with a series per row, and .npy."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.pixel_rows import label_beside_pixels, pixel_columns
from convscope.errors import DataError

ENDINGS = (".ts", ".tsv", ".arff", ".csv", ".txt")
OWN = (".ts", ".arff")
"""Endings that are always series; files with others are, if their first rows are long rows of numbers."""
FEWEST = 8
"""Numbers in a row of a table from which it is a series."""
MISSING = frozenset(("", "?", "nan", "na", "n/a", "null", "none"))
LARGEST = 2_000_000_000
"""Bytes of a file of text, which is read whole."""
_TRIED = 5  # rows that are looked at
_READ = 1 << 16  # bytes of a file that are looked at
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class SeriesFile:
    """The series of a file, each (C, L) float32, and their labels."""

    values: list[NDArray[np.float32]]
    labels: list[str]
    """One per series; "" if it is missing."""
    skipped: tuple[tuple[int, str], ...] = ()
    """Number and reason of each series that cannot be used."""


def read_series(path: Path) -> SeriesFile:
    """The series of a file of any kind.

    A ``.ts`` or ``.arff`` file says what its columns are. A ``.tsv`` or headless ``.csv`` file has a label in its first
    column, as the UCR archive; of a ``.csv`` file with a header, the column called label, class, target or y is the
    label. A ``.npy`` file holds (L,), (C, L) or (N, C, L).

    Raises:
        DataError: the file cannot be read, or holds no series.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _from_array(path)
    lines = _lines(path)
    if suffix == ".ts":
        found = _from_ts(path, lines)
    elif suffix == ".arff":
        found = _from_arff(path, lines)
    else:
        found = _from_rows(path, lines)
    if not found.values:
        why = f"; the first, {found.skipped[0][1]}" if found.skipped else ""
        raise DataError(f"{path}: holds no series{why}; give one per row")
    return found


def has_series(path: Path, or_pixels: bool = False) -> bool:
    """Whether the first rows of a file are a label and many numbers, from its first 64 KB.

    Args:
        path: a file.
        or_pixels: whether the numbers may be those of a square image.
    """
    if path.suffix.lower() in OWN:
        return True
    try:
        with path.open("rb") as file:
            lines = file.read(_READ).decode("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return False
    rows = [split_row(line.strip()) for line in lines[: _TRIED + 1] if line.strip()]
    headed = _is_headed(rows)
    if headed and (label_place(rows[0]) < 0 or (pixel_columns(rows[0]) and not or_pixels)):
        return False
    place, rows = (label_place(rows[0]), rows[1:]) if headed else (0, rows)
    whole = rows[:-1] if len(lines) <= _TRIED + 1 and len(rows) > 1 else rows  # the last may be cut
    if not headed and not or_pixels and label_beside_pixels(whole) is not None:
        return False
    return bool(whole) and all(
        len(row) > FEWEST and all(is_number(cell) for i, cell in enumerate(row) if i != place) for row in whole
    )


def numbers(cells: list[str]) -> NDArray[np.float32] | None:
    """(L,) numbers of cells, NaN for those that are empty, ? or NaN; None if one is no number."""
    try:
        return np.array([np.nan if cell.strip().lower() in MISSING else float(cell) for cell in cells], np.float32)
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Whether a cell is a number or a mark for a missing one."""
    return cell.strip().lower() in MISSING or _NUMBER.fullmatch(cell.strip()) is not None


def split_row(line: str) -> list[str]:
    """The cells of a line: between tabs, semicolons or commas, whichever it has, else between blanks."""
    for separator in ("\t", ";", ","):
        if separator in line:
            return [cell.strip().strip("\"'") for cell in line.split(separator)]
    return line.split()


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: {path.stat().st_size:,} bytes of text; save it as a .npy file")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its path and permissions") from None
    text = content.decode("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _from_array(path: Path) -> SeriesFile:
    try:
        values = np.load(path, allow_pickle=False)
    except Exception:
        raise DataError(f"{path}: damaged, or no .npy file of numbers; save it again with numpy.save") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "buif" or not 1 <= values.ndim <= 3:
        raise DataError(f"{path}: no series; save numbers of the shape (L,), (C, L) or (N, C, L)")
    if not values.size:
        raise DataError(f"{path}: holds no values; save at least one series")
    rows = values[None, None] if values.ndim == 1 else values[None] if values.ndim == 2 else values
    return SeriesFile([row.astype(np.float32) for row in rows], [""] * len(rows))


def _from_rows(path: Path, lines: list[str]) -> SeriesFile:
    rows = [split_row(line) for line in lines]
    place = 0
    if _is_headed(rows):
        place = label_place(rows[0])
        if place < 0:
            raise DataError(f"{path}: no column of its header is called label, class, target or y; name one so")
        rows = rows[1:]
    labels = [row[place] if place < len(row) else "" for row in rows]
    if len(rows) == 1 and "." in labels[0] and is_number(labels[0]):  # a series alone has no label
        return _collected([[rows[0]]], [""])
    return _collected([[row[:place] + row[place + 1 :]] for row in rows], labels)


def _is_headed(rows: list[list[str]]) -> bool:
    """Whether at most half of the cells of the first row are numbers."""
    return bool(rows) and sum(map(is_number, rows[0])) <= len(rows[0]) // 2


def label_place(header: list[str]) -> int:
    """The column of a header that is the label; -1 if none is."""
    plain = [name.strip().lower() for name in header]
    return next((plain.index(name) for name in ("label", "class", "target", "y") if name in plain), -1)


def _from_ts(path: Path, lines: list[str]) -> SeriesFile:
    header = [line.lower().split() for line in lines if line.startswith("@")]
    if ["@timestamps", "true"] in header:
        raise DataError(f"{path}: its values have time stamps, which are not read; save it without them")
    labelled = any(words[:2] in (["@classlabel", "true"], ["@targetlabel", "true"]) for words in header)
    cases = [line.split(":") for line in lines if not line.startswith(("@", "#", "%"))]
    channels = [case[:-1] if labelled and len(case) > 1 else case for case in cases]
    labels = [case[-1].strip() if labelled and len(case) > 1 else "" for case in cases]
    return _collected([[one.split(",") for one in case] for case in channels], labels)


def _from_arff(path: Path, lines: list[str]) -> SeriesFile:
    start = next((i for i, line in enumerate(lines) if line.lower().startswith("@data")), None)
    if start is None:
        raise DataError(f"{path}: has no @data; give an ARFF file")
    rows = [line for line in lines[start + 1 :] if not line.startswith("%")]
    labels, series = [], []
    for row in rows:
        quoted = re.match(r"(['\"])(.*)\1\s*,\s*(.*)$", row)  # a relational attribute: channels between \n
        inside = re.split(r"\\n", quoted.group(2)) if quoted else [row.rpartition(",")[0]]
        series.append([channel.split(",") for channel in inside])
        labels.append((quoted.group(3) if quoted else row.rpartition(",")[2]).strip().strip("\"'"))
    return _collected(series, labels)


def _collected(series: list[list[list[str]]], labels: list[str]) -> SeriesFile:
    """Series of cells, channel by channel, as numbers; those that are none are skipped."""
    found = SeriesFile([], [])
    skipped = []
    for number, (cells, label) in enumerate(zip(series, labels, strict=True)):
        channels = [numbers(channel) for channel in cells]
        values = [channel for channel in channels if channel is not None]
        if len(values) < len(channels):
            wrong = next(cell for channel in cells for cell in channel if not is_number(cell))
            skipped.append((number, f"has {wrong[:40]!r}, which is no number"))
            continue
        row = np.full((len(values), max(map(len, values))), np.nan, np.float32)
        for into, channel in zip(row, values, strict=True):
            into[: len(channel)] = channel
        found.values.append(row)
        found.labels.append("" if label.lower() in MISSING else label)
    return SeriesFile(found.values, found.labels, tuple(skipped))

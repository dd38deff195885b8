"""Records of a CSV file of any delimiter and encoding."""

import csv
import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from convscope.datasets.cells import is_number
from convscope.datasets.text_encoding import decode_text
from convscope.errors import DataError

Record = tuple[int, list[str]]
"""The number of a row, from 1 as a spreadsheet counts, and its cells."""

DELIMITERS = ",;\t|"
_SEP = re.compile(r"sep=(.)[\t,; ]*\n?", re.IGNORECASE)
_SAMPLE = 20  # records that decide on the delimiter
_SAMPLE_CHARACTERS = 200_000
_LONGEST_CELL = 2**31 - 1
_limit_lock = threading.Lock()


@dataclass(frozen=True)
class CsvContent:
    """The records of a file, with the comments before the first."""

    records: list[Record]
    delimiter: str
    comments: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def read_records(content: bytes, source: str, mark_lost: bool = False) -> CsvContent:
    """The records of a CSV file, without blank ones and comments.

    The encoding is detected, see `decode_text`. The delimiter is a comma, semicolon, tab, bar or blanks: the one that
    divides the first records most evenly, quotes respected, unless Excel's ``sep=;`` names it.
    Lines that begin with # are comments if they are not divided like the records.

    Args:
        content: of the file.
        source: for errors.
        mark_lost: read a file that mixes UTF-8 and other bytes as UTF-8, with `LOST` for what is none.

    Raises:
        DataError: a quote is not closed.
    """
    notes: list[str] = []
    text = _lines(content, notes, mark_lost)
    named, skipped_lines = _SEP.match(text), 0
    if named and "\n" in named[0]:
        text, skipped_lines = text[named.end() :], 1
    comments, rest = _comments_before(text)
    delimiter = named[1] if named and skipped_lines else detect_delimiter(rest)
    first = 1 + skipped_lines + text[: len(text) - len(rest)].count("\n")
    records = [record for record in _parse(rest, delimiter, first, source) if any(cell.strip() for cell in record[1])]
    width = max((len(cells) for _, cells in records[1:_SAMPLE]), default=0)
    kept = [record for record in records if not _is_comment(record[1], width)]
    if comments or len(kept) < len(records):
        notes.append(f"lines that begin with # are comments: {len(comments) + len(records) - len(kept):,}")
    return CsvContent(kept, delimiter, tuple(comments), notes)


def open_records(content: bytes, source: str) -> Iterator[Record]:
    """The records of a CSV file one after the other, without blank ones; a comment is a record, too.

    Raises:
        DataError: a quote is not closed.
    """
    text = _lines(content, [])
    reader = csv.reader(io.StringIO(text), delimiter=detect_delimiter(text), skipinitialspace=True)
    number = 0
    while True:
        number += 1
        try:
            with _any_length():
                cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise DataError(f"{source}: {_unclosed(number)}") from None
        if any(cell.strip() for cell in cells):
            yield number, cells


def _lines(content: bytes, notes: list[str], mark_lost: bool = False) -> str:
    """The text with one kind of line end."""
    decoded = decode_text(content)
    text = decoded.text
    if decoded.mixed and mark_lost:
        text = content.decode(errors="replace")
    elif decoded.fallback:
        notes.append(f"the text is not UTF-8 and is read as {decoded.fallback}; save it as UTF-8 if letters are wrong")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def detect_delimiter(text: str) -> str:
    """The delimiter of the first records; a blank if nothing else divides them and blanks do.

    >>> lines = chr(10).join
    >>> detect_delimiter(lines(["file;label;x", 'a.png;"1;2";0,5'])), detect_delimiter(lines(["a.png 3", "b.png 4"]))
    (';', ' ')
    """
    sample = text[:_SAMPLE_CHARACTERS]
    best = max(DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))
    if _evenness(sample, best)[0]:
        return best
    divided, share, *_ = _evenness(sample, " ")
    return " " if divided and share == 1 else best


def _evenness(sample: str, delimiter: str) -> tuple[bool, float, int, int]:
    """How well a delimiter divides records: whether it does, how evenly, number of cells, and of numbers in cells."""
    records = []
    with _any_length():
        reader = csv.reader(io.StringIO(sample), delimiter=delimiter, skipinitialspace=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    records.append(cells)
                if len(records) == _SAMPLE:
                    break
        except csv.Error:
            pass
    if not records:
        return False, 0.0, 0, 0
    width = len(records[0])
    share = sum(len(cells) == width for cells in records) / len(records)
    numbers = sum(is_number(cell) for cells in records for cell in cells)
    return width > 1, share, width, numbers


def _comments_before(text: str) -> tuple[list[str], str]:
    """The lines before the first record that begin with #, and the rest of the text."""
    comments = []
    while text.startswith(("#", "\n")):
        line, _, text = text.partition("\n")
        comments += [line] if line else []
    return comments, text


def _is_comment(cells: list[str], width: int) -> bool:
    return cells[0].startswith("#") and (len(cells) != width or not any(cell.strip() for cell in cells[1:]))


def _parse(text: str, delimiter: str, first: int, source: str) -> list[Record]:
    """Records by the strict rules of CSV; where text follows a closing quote, by those of spreadsheets."""
    with _any_length():
        for strict in (True, False):
            records: list[Record] = []
            reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=strict, skipinitialspace=True)
            try:
                records.extend((number, cells) for number, cells in enumerate(reader, start=first))
            except csv.Error as error:
                if strict and "unexpected end" not in str(error):
                    continue
                raise DataError(f"{source}: {_unclosed(first + len(records))}") from None
            broken = next((number for number, cells in records if any("\n" in cell for cell in cells)), None)
            if strict or broken is None:
                return records
            raise DataError(f"{source}: {_unclosed(broken)}")
    raise AssertionError  # the second reading returns or raises


def _unclosed(row: int) -> str:
    return f"row {row} opens a quote that is not closed; close it, or double a quote that belongs to the text"


@contextmanager
def _any_length() -> Iterator[None]:
    """Lift the limit of 131,072 characters a cell, which is one for the whole process."""
    with _limit_lock:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)

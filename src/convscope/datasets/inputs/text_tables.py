"""Tables with a column of texts: CSV, Parquet, and files of one JSON object per line."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.cells import as_cell, is_missing, shown
from convscope.datasets.class_label_features import class_label_features, with_class_names
from convscope.datasets.csv_file import detect_delimiter, read_records
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.json_lines import json_objects
from convscope.datasets.listing import ending
from convscope.datasets.text_encoding import LOST, decode_text
from convscope.errors import DataError, did_you_mean

CSV, PARQUET, JSON_LINES = (".csv", ".tsv"), (".parquet", ".pq"), (".jsonl", ".ndjson")
TABLES = (*CSV, *PARQUET, *JSON_LINES)
TEXT_COLUMNS = (
    *("text", "sentence", "review", "content", "message", "comment", "tweet", "document", "body", "utterance", "sms"),
    *("headline", "question", "phrase", "description", "title"),
)
"""Names of the column of texts, the most certain first."""
_IMAGE_COLUMNS = frozenset(("image", "file", "filename", "file_name", "path", "filepath", "file_path", "image_path"))
_FEWEST = 4
"""Words of the usual cell of a column of texts that has none of these names."""
_TRIED = 50  # rows that are looked at
_READ = 1 << 18  # bytes of a table that are looked at
MIXED = "holds bytes that are not UTF-8, and other rows hold letters in UTF-8; save the file in one encoding"


@dataclass(frozen=True, eq=False)
class TextTable:
    """The rows of a table with texts."""

    names: list[str]
    rows: list[tuple[int, dict[str, str]]]
    """The number of each row, as a spreadsheet counts, and its cells."""
    notes: list[str] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    """Number and reason of rows that cannot be read."""


def content_of(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its path and permissions") from None


def read_text_table(path: Path) -> TextTable:
    """The rows of a CSV or Parquet file, or of one with a JSON object per line.

    Without a header, that is if the first row has a text as the others, columns are called ``column 1`` and so on.

    Raises:
        DataError: the file cannot be read, or has no rows.
    """
    if path.suffix.lower() in PARQUET:
        return _from_parquet(path)
    if path.suffix.lower() in JSON_LINES:
        return _from_json_lines(content_of(path), path)
    read = read_records(content_of(path), str(path), mark_lost=True)
    if not read.records:
        raise DataError(f"{path}: the file is empty; give a table with a text per row")
    rows = [cells for _, cells in read.records]
    headed = _is_headed(rows)
    names = [cell.strip() for cell in rows[0]] if headed else [f"column {i}" for i in range(1, len(rows[0]) + 1)]
    table = TextTable(names, [], list(read.notes))
    if not headed:
        table.notes.append(f"no header: the columns are called {', '.join(names)}")
    lossy = not any("not UTF-8" in note for note in read.notes) and decode_text(content_of(path)).mixed
    for number, cells in read.records[headed:]:
        if len(cells) > len(names):
            why = f"has {len(cells)} cells, and the header {len(names)}; quote a cell that holds the delimiter"
            table.skipped.append((number, why))
        elif lossy and any(LOST in cell for cell in cells):
            table.skipped.append((number, MIXED))
        else:
            table.rows.append((number, dict(zip(names, cells, strict=False))))
    return table


def has_texts(path: Path) -> bool:
    """Whether the first rows of a table have a text, and no names of images or recordings."""
    if path.suffix.lower() not in TABLES:
        return False
    try:
        names, rows = _first_rows(path)
    except (DataError, OSError, ValueError):
        return False
    if not rows or any(ending(cell.strip()) in ENDINGS for row in rows for cell in row.values()):
        return False
    return not _IMAGE_COLUMNS & {_plain(name) for name in names} and bool(_column(names, rows))


def text_column(names: Sequence[str], rows: Sequence[dict[str, str]], given: str, source: str) -> str:
    """The column of the texts: the given one, one with a common name, or the one with the most words.

    Raises:
        DataError: there is no such column.
    """
    if given and given not in names:
        raise DataError(f"{source}: no column {given}{did_you_mean(given, names)}")
    column = given or _column(names, rows)
    if not column:
        raise DataError(f"{source}: no column of texts, of {shown(', '.join(names), 300)}; set the text column")
    return column


def _column(names: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    plain = {_plain(name): name for name in reversed(names)}
    named = next((plain[word] for word in TEXT_COLUMNS if word in plain), "")
    counts = {name: _words([row.get(name, "") for row in rows[:_TRIED]]) for name in names}
    best = max(counts, key=lambda name: counts[name], default="")
    return named or (best if counts.get(best, 0) >= _FEWEST else "")


def _words(cells: Sequence[str]) -> float:
    """The mean number of words with letters in the cells that have any text."""
    filled = [cell for cell in cells if not is_missing(cell)]
    lengths = [sum(any(map(str.isalpha, word)) for word in cell.split()) for cell in filled]
    return sum(lengths) / max(1, len(filled))


def _is_headed(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: one as columns of texts are called, or none is a text as below it."""
    if any(_plain(cell) in TEXT_COLUMNS for cell in rows[0]):
        return True
    below = rows[1:_TRIED]
    counts = [_words([row[place] for row in below if place < len(row)]) for place in range(len(rows[0]))]
    place = max(range(len(counts)), key=lambda one: counts[one])
    return counts[place] < _FEWEST or _words([rows[0][place]]) < _FEWEST


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _first_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    if path.suffix.lower() in PARQUET:
        table = _from_parquet(path, _TRIED)
        return table.names, [cells for _, cells in table.rows]
    with path.open("rb") as file:
        content = file.read(_READ)
    if path.suffix.lower() in JSON_LINES:
        table = _from_json_lines(b"\n".join(content.split(b"\n")[:_TRIED]), path)
        return table.names, [cells for _, cells in table.rows]
    text = decode_text(content).text.replace("\0", "")
    reader = csv.reader(io.StringIO(text), delimiter=detect_delimiter(text), skipinitialspace=True)
    rows = []
    try:
        for cells in reader:
            rows.append(cells)
            if len(rows) > _TRIED:
                break
    except csv.Error:
        pass
    rows = [row for row in rows[: -1 if len(content) == _READ and len(rows) <= _TRIED else None] if any(row)]
    if not rows:
        return [], []
    headed = _is_headed(rows)
    names = [cell.strip() for cell in rows[0]] if headed else [f"column {i}" for i in range(1, len(rows[0]) + 1)]
    return names, [dict(zip(names, row, strict=False)) for row in rows[headed:]]


def _from_json_lines(content: bytes, path: Path) -> TextTable:
    """The objects of a file, one row each; lines that are none are skipped with the reason."""
    table, names = TextTable([], []), dict[str, None]()
    for number, cells in json_objects(content):
        if isinstance(cells, str):
            table.skipped.append((number, cells))
        else:
            names.update(dict.fromkeys(cells))
            table.rows.append((number, cells))
    if not table.rows:
        raise DataError(f"{path}: no line is a JSON object; give a table with a text per row")
    table.names.extend(names)
    return table


def _from_parquet(path: Path, most: int | None = None) -> TextTable:
    try:
        from pyarrow import ArrowException, parquet, types
    except ImportError as error:
        raise DataError(f"{path}: reading Parquet needs pyarrow; pip install convscope[parquet]") from error
    try:
        with parquet.ParquetFile(path) as opened:
            schema = opened.schema_arrow
            names = [one.name for one in schema if not (types.is_binary(one.type) or types.is_struct(one.type))]
            features = class_label_features(schema.metadata)
            rows: list[dict[str, str]] = []
            for batch in opened.iter_batches(batch_size=most or 10_000, columns=names):
                columns = {name: batch.column(place).to_pylist() for place, name in enumerate(batch.schema.names)}
                columns |= {
                    name: with_class_names(columns[name], [feature])
                    for name, feature in features.items()
                    if name in columns
                }
                rows += [
                    {name: as_cell(cells[number]) for name, cells in columns.items()}
                    for number in range(batch.num_rows)
                ]
                if most:
                    break
    except (ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise DataError(f"{path}: not a readable Parquet file; write it again") from error
    return TextTable(names, list(enumerate(rows, start=1)))

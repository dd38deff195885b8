"""Tables: CSV, JSON Lines or Parquet files that list images and their targets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from convscope.datasets.csv_file import read_records
from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.series_files import has_series
from convscope.datasets.inputs.text_tables import has_texts
from convscope.errors import DataError
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.path_lookup import PathLookup
from convscope.layouts.tables import kinds
from convscope.layouts.tables.columns import Columns, place_columns
from convscope.layouts.tables.content import NAME, TableContent
from convscope.layouts.tables.header import name_columns
from convscope.layouts.tables.json_lines_file import read_json_lines
from convscope.layouts.tables.nested_objects import one_row_per_object
from convscope.layouts.tables.parquet_file import read_parquet
from convscope.layouts.tables.pixel_table import read_pixels
from convscope.layouts.tables.rows import TableFile, TableRows
from convscope.layouts.tables.text_lists import as_table

CSV = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson")
TEXT = ".txt"
ENDINGS = (*CSV, TEXT, *PARQUET, *JSON_LINES)


def read_table(
    path: Path, columns: Columns | None = None, target_kind: str | None = None, file_kind: str = ""
) -> Dataset:
    """The images of a table, with one class each, several labels, numbers or boxes; see `kinds`.

    The delimiter and encoding of a CSV file are detected, see `csv_file`; its header may be missing. An image's path
    may be absolute, or relative to the table, to a folder images/ or to one named like the split; else the file below
    the table's folder is used whose path ends like the listed one, see `PathLookup`. A Parquet file may contain the
    images as bytes. Repeated rows are merged. Files with contradicting targets or splits are skipped; if they are more
    than 1 % of the files, the table is rejected.

    Args:
        path: the table.
        columns: names of the columns.
        target_kind: the kind of target; None: detected from the columns.
        file_kind: the requested kind of file; "": detected.

    Raises:
        DataError: the table cannot be read, a column is missing or not detected, no file exists, rows disagree, or
            the classes are invalid, see `check_classes`.
    """
    path = path.absolute()
    lookup = PathLookup(path.parent)
    content = place_tables(str(path), [read_rows(TableFile(path), lookup)], lookup, columns)
    return read_content(replace(content, file_kind=file_kind), target_kind)


def read_content(content: TableContent, target_kind: str | None = None) -> Dataset:
    """The dataset of an opened table; as `read_table`."""
    return kinds.READERS[target_kind or kinds.detect_target_kind(content)](content)


def place_tables(
    source: str, tables: Sequence[TableRows], lookup: PathLookup, columns: Columns | None = None
) -> TableContent:
    """The rows of one or several tables of one data set, with the meaning of their columns.

    Args:
        source: the data for messages.
        tables: their rows; the files of several have the folder of the lookup as their root.
        lookup: the folder below which the images lie.
        columns: names of the columns.

    Raises:
        DataError: there are no rows, or a column is missing or not detected.
    """
    table = one_row_per_object(_joined(tables))
    if not table.rows:
        raise DataError(f"{source}: no rows; list at least one image per class")
    placed = place_columns(table, columns or Columns(), lookup, source)
    lookup.aliases.update(table.aliases)
    return TableContent(source, table, placed, lookup.for_paths(table.column(placed.image)))


def read_rows(file: TableFile, lookup: PathLookup, pixels_too: bool = True) -> TableRows:
    """The rows of a table.

    Args:
        file: the table.
        lookup: the folder below which images lie.
        pixels_too: whether images may be rows of pixels, see `pixel_table`.

    Raises:
        DataError: the file does not exist, cannot be read, or has no rows.
    """
    source = str(file.path)
    if not file.path.is_file():
        raise DataError(f"{source}: no such file; check the path")
    suffix = file.path.suffix.lower()
    if suffix in PARQUET:
        return read_parquet(file, source)
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror}); check its permissions") from None
    if suffix in JSON_LINES:
        return read_json_lines(content, file)
    if suffix == TEXT:
        content = as_table(content)
    pixels = read_pixels(content, file, source) if pixels_too else None
    return pixels or name_columns(read_records(content, source), file, lookup, source)


def _joined(tables: Sequence[TableRows]) -> TableRows:
    """The rows of all tables; the columns are those of any."""
    if len(tables) == 1:
        return tables[0]
    joined = TableRows([], [])
    for table in tables:
        joined.names += [name for name in table.names if name not in joined.names]
        joined.rows += table.rows
        joined.notes += [note for note in table.notes if note not in joined.notes]
        joined.skipped += table.skipped
        joined.images = tuple(dict.fromkeys((*joined.images, *table.images)))
        joined.aliases |= table.aliases
    return joined


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    ending, columns = source.path.suffix.lower(), settings.columns or Columns()
    if ending not in ENDINGS or not source.path.is_file() or (ending in (*CSV, TEXT) and has_series(source.path)):
        return None
    if not columns.image and (columns.text or has_texts(source.path)):
        return None
    return Recognised(TABLE.name, 1.0, f"it is a {ending} file")


def _read_source(source: Source, settings: ReadSettings) -> Dataset:
    kind = settings.target_kind
    if kind not in (None, *kinds.READERS):
        raise DataError(f"{source}: a table contains no {kind}; give the folder of images and {kind}")
    return read_table(source.path, settings.columns, kind, settings.file_kind)


TABLE = Layout(NAME, f"a file {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}", _recognise, _read_source)

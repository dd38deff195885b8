"""Rows of a Parquet file, with images as bytes, and the class names of Hugging Face's datasets."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from convscope.datasets.cells import as_cell
from convscope.datasets.class_label_features import class_label_features, with_class_names
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending
from convscope.datasets.store.extracted import Extracted, extract, key_of, reuse
from convscope.errors import DataError
from convscope.layouts.tables.rows import TableFile, TableRow, TableRows

_BATCH = 64  # rows that are in memory at a time
_MOST_ROWS = 50_000_000
_MAGIC = (
    *((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF8", ".gif"), (b"BM", ".bmp")),
    *((b"II*\0", ".tif"), (b"MM\0*", ".tif"), (b"RIFF", ".webp"), (b"\0\0\0\x0cjP", ".jp2")),
)
_OTHER = ".bin"  # bytes that are not an image


def read_parquet(file: TableFile, source: str) -> TableRows:
    """The rows of a Parquet file.

    A column of images as bytes, also as a structure of `bytes` and `path`, is extracted to files in the cache, see
    `store.extracted`. Integers of a class label of Hugging Face's datasets become its names, -1 becomes blank.

    Raises:
        DataError: the file cannot be read, pyarrow is not installed, or the images do not fit on the disk.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise DataError(f"{source}: reading Parquet needs pyarrow; pip install convscope[parquet]") from error
    try:
        with parquet.ParquetFile(file.path) as opened:
            return _read(opened, file, source)
    except (ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise DataError(f"{source}: not a readable Parquet file; write it again") from error


def _read(opened: Any, file: TableFile, source: str) -> TableRows:
    schema = opened.schema_arrow
    if opened.metadata.num_rows > _MOST_ROWS:
        raise DataError(f"{source}: has {opened.metadata.num_rows:,} rows; give at most {_MOST_ROWS:,}")
    images = [field.name for field in schema if _holds_bytes(field.type)]
    others = [name for name in schema.names if name not in images]
    features = class_label_features(schema.metadata)
    table = TableRows([*others, *images], [])
    rows: list[dict[str, str]] = []
    for batch in opened.iter_batches(batch_size=10_000, columns=others) if others else ():
        columns = {name: batch.column(i).to_pylist() for i, name in enumerate(batch.schema.names)}
        columns |= {
            name: with_class_names(columns[name], [feature]) for name, feature in features.items() if name in columns
        }
        rows += [{name: as_cell(cells[i]) for name, cells in columns.items()} for i in range(batch.num_rows)]
    rows = rows or [{} for _ in range(opened.metadata.num_rows)]
    for name in images:
        _add_images(table, opened, name, rows, (file, source))
    table.rows.extend(TableRow(cells, number, file) for number, cells in enumerate(rows, start=1))
    return table


def _add_images(
    table: TableRows, opened: Any, column: str, rows: list[dict[str, str]], file: tuple[TableFile, str]
) -> None:
    """Set the cells of a column of bytes to the files with their content, or to the paths that stand there instead."""
    place, source = file
    key = key_of(place.path, column)
    folder, names = reuse(key) or extract(key, _images(opened, column), source)
    if not any(name and not name.endswith(_OTHER) for name in names):
        with suppress(KeyError):
            for cells, value in zip(rows, _values(opened, column), strict=True):
                cells[column] = as_cell(value.get("path")) if isinstance(value, dict) else ""
        return
    table.images = (*table.images, column)
    for cells, name in zip(rows, names, strict=True):
        cells[column] = str(folder / name) if name else ""
        if name:
            table.aliases[folder / name] = f"{place.stem}/{name}"


def _images(opened: Any, column: str) -> Iterator[Extracted | None]:
    """The images of a column, called by their rows and extensions; None for blanks and what is no image."""
    for number, value in enumerate(_values(opened, column)):
        content = value.get("bytes") if isinstance(value, dict) else value
        path = value.get("path") if isinstance(value, dict) else None
        if not isinstance(content, bytes) or not content:
            yield None
            continue
        extension = next((extension for magic, extension in _MAGIC if content.startswith(magic)), "")
        named = ending(PurePath(path).name) if isinstance(path, str) else ""
        yield f"{number:06d}{extension or (named if named in ENDINGS else _OTHER)}", content


def _values(opened: Any, column: str) -> Iterator[Any]:
    for batch in opened.iter_batches(batch_size=_BATCH, columns=[column]):
        yield from batch.column(0).to_pylist()


def _holds_bytes(kind: Any) -> bool:
    """Whether a column holds bytes, or structures with them."""
    from pyarrow import types

    if types.is_struct(kind):
        fields = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
        return "bytes" in fields and _holds_bytes(fields["bytes"])
    return bool(types.is_binary(kind) or types.is_large_binary(kind))

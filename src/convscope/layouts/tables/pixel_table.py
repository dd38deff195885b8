"""Tables whose rows hold the pixels of images: MNIST's columns 1x1 to 28x28, or a column of 2,304 numbers per cell."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.csv_file import Record, open_records
from convscope.datasets.dataset import Skipped
from convscope.datasets.inputs.pixel_rows import (
    SMALLEST,
    label_beside_pixels,
    picture_shape,
    pixel_columns,
    pixels_in_cell,
)
from convscope.datasets.store.extracted import Extracted, extract, key_of, reuse
from convscope.errors import DataError
from convscope.layouts.tables.rows import TableFile, TableRow, TableRows

_TRIED = 20  # rows that are looked at
_FULL = 255
_FEW_LEVELS = 16  # the highest value of images that are written with 17 levels or fewer
PIXELS = "pixels"
"""The column of the result that names the images."""


@dataclass(frozen=True)
class _Places:
    """Where a row has its pixels."""

    header: list[str] | None
    """The names of all columns; None if the first record is a row."""
    pixels: list[int]
    cell: bool
    """Whether `pixels` is one column whose cells hold all values."""
    shape: tuple[int, int, int]

    @property
    def others(self) -> list[tuple[int, str]]:
        """The other columns and their names."""
        names = self.header or []
        chosen = set(self.pixels)
        if self.header is None:
            return [(place, "label") for place in range(len(self.pixels) + 1) if place not in chosen]
        return [(place, name) for place, name in enumerate(names) if place not in chosen]

    @property
    def note(self) -> str:
        """What was read as pixels."""
        height, width, channels = self.shape
        what = f"{height} x {width} {'grey' if channels == 1 else 'colour'} images, row by row"
        if self.cell:
            return f"the cells of {(self.header or [''])[self.pixels[0]]} are read as the pixels of {what}"
        if self.header is None:
            return (
                f"{len(self.pixels):,} columns are read as the pixels of {what}; --layout series reads them as series"
            )
        return f"{len(self.pixels):,} columns ({self.header[self.pixels[0]]} ...) are read as the pixels of {what}"


def read_pixels(content: bytes, file: TableFile, source: str) -> TableRows | None:
    """The rows of a CSV file that holds pixels, with the images as PNG files in the cache; None for other files.

    Pixels are columns called pixel0, 1x1 and the like, all numbers but a label in a file without a header, or the
    numbers in the cells of one column. They are the rows of a square image, grey or with red, green and blue of each
    pixel together. Values are 0 to 255; if none exceeds 16, or 1, that becomes 255.

    Raises:
        DataError: a quote is not closed, the pixels are no square image, or no row holds an image.
    """
    first = list(islice(open_records(content, source), _TRIED + 1))
    places = _places(first, source)
    if places is None:
        return None
    table = TableRows([*(name.strip() for _, name in places.others), PIXELS], [], [places.note])
    found: list[NDArray[np.float32]] = []
    records = islice(open_records(content, source), 0 if places.header is None else 1, None)
    for number, cells in records:
        values = _values(cells, places)
        if values is None:
            height, width, channels = places.shape
            why = f"does not have {height * width * channels:,} numbers from 0 to 255"
            table.skipped.append(Skipped(f"{file.place}row {number}", why))
            continue
        found.append(values)
        others = {name.strip(): cells[place].strip() for place, name in places.others if place < len(cells)}
        table.rows.append(TableRow(others, number, file))
    if not found:
        why = table.skipped[0].why if table.skipped else "is missing"
        raise DataError(f"{source}: no row holds an image; the first {why}")
    _add_images(table, found, places.shape, (file, source))
    return table


def _places(records: Sequence[Record], source: str) -> _Places | None:
    if not records:
        return None
    header, rows = records[0][1], [cells for _, cells in records[1:]]
    named = pixel_columns(header)
    if len(named) >= SMALLEST * SMALLEST and not picture_shape(len(named)):
        raise DataError(
            f"{source}: {len(named):,} columns of pixels, which are no square image; save the images as PNG"
        )
    if picture_shape(len(named)):
        return _Places(header, named, cell=False, shape=_shape(len(named)))
    for place in range(len(header)):
        counts = {pixels_in_cell(cells[place]) if place < len(cells) else 0 for cells in rows}
        if len(counts) == 1 and (count := counts.pop()):
            return _Places(header, [place], cell=True, shape=_shape(count))
    label = label_beside_pixels([header, *rows])
    if label is None:
        return None
    pixels = [place for place in range(len(header)) if place != label]
    return _Places(None, pixels, cell=False, shape=_shape(len(pixels)))


def _shape(values: int) -> tuple[int, int, int]:
    return picture_shape(values) or (0, 0, 0)


def _values(cells: list[str], places: _Places) -> NDArray[np.float32] | None:
    """The pixels of a row; None if some are missing, no numbers, or out of range."""
    place = places.pixels[0]
    if places.cell:
        words = cells[place].split() if place < len(cells) else []
    else:
        words = [cells[place] for place in places.pixels if place < len(cells)]
    if len(words) != int(np.prod(places.shape)):
        return None
    try:
        values = np.array(words).astype(np.float32)
    except (ValueError, OverflowError):
        return None
    return values if bool(((values >= 0) & (values <= _FULL)).all()) else None


def _add_images(
    table: TableRows, found: list[NDArray[np.float32]], shape: tuple[int, int, int], place: tuple[TableFile, str]
) -> None:
    """Set the cells of the column of images to their files."""
    file, source = place
    highest = max(float(values.max()) for values in found)
    factor = _FULL / _scale(highest)
    if factor > 1:
        table.notes.append(f"the pixels are 0 to {highest:g}: {_scale(highest):g} becomes 255")
    key = key_of(file.path, PIXELS)
    folder, names = reuse(key) or extract(key, _files(table, found, (shape, factor)), source)
    table.images = (PIXELS,)
    table.rows[:] = [
        TableRow({**row.cells, PIXELS: str(folder / name)}, row.number, file)
        for row, name in zip(table.rows, names, strict=True)
    ]
    table.aliases.update({folder / name: f"{file.stem}/{name}" for name in names})


def _scale(highest: float) -> float:
    """The value that becomes 255."""
    return next((limit for limit in (1.0, _FEW_LEVELS) if 0 < highest <= limit), float(_FULL))


def _files(
    table: TableRows, found: list[NDArray[np.float32]], how: tuple[tuple[int, int, int], float]
) -> Iterator[Extracted]:
    """The images as PNG files, called by their rows."""
    shape, factor = how
    for row, values in zip(table.rows, found, strict=True):
        pixels = np.rint(values * factor).astype(np.uint8).reshape(shape)
        content = io.BytesIO()
        Image.fromarray(pixels if shape[2] > 1 else pixels[..., 0]).save(content, "PNG", compress_level=1)
        yield f"{row.number:06d}.png", content.getvalue()

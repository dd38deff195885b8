"""Tables of boxes: one object per row."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.layouts.box_columns import (
    LIST_SIDES,
    VIA_LABELS,
    VIA_SHAPE,
    Box,
    BoxColumns,
    as_corners,
    box_columns,
    region_label,
    size_columns,
)
from convscope.datasets.layouts.column_words import OBJECT_LABEL, named, plain_name
from convscope.datasets.layouts.table_cells import NumberFormat, is_missing, is_number, label_of, plain, shown
from convscope.datasets.layouts.table_columns import CONSTANT
from convscope.datasets.layouts.table_content import NAME, FoundRow, TableContent
from convscope.datasets.targets.annotations import AnnotatedImage, largest_objects

_OBJECT = "object"  # the class of objects without one
_CROWDS = ("isgroupof", "iscrowd", "is_crowd", "is_group_of")
_MARGIN = 2.0  # pixels that a box may lie beyond its image, by rounding
_BEYOND = 0.5  # share of images with boxes beyond them above which the columns are misread


@dataclass
class _Objects:
    """A file with the rows and boxes of its objects; None is a row without one."""

    found: FoundRow
    header: Header | None = None
    """None if the file cannot be read, which is found later."""
    rows: list[tuple[FoundRow, Box | None]] = field(default_factory=list)

    @property
    def boxes(self) -> list[Box]:
        """Its boxes of finite numbers."""
        return [box for _, box in self.rows if box is not None and all(map(math.isfinite, box))]


def table_box_columns(content: TableContent) -> BoxColumns | None:
    """The columns of boxes, among all that have no other meaning."""
    placed = content.columns
    taken = {placed.image, placed.split, placed.group, *placed.labels}
    return box_columns(content.table, [name for name in content.table.names if name not in taken], content.source)


def read_boxes(content: TableContent) -> Dataset:
    """One object per row: its class and its box, in pixels, or in shares of the image if all numbers are in [0, 1].

    The class is the cell of the label column: given, of a common name, or the only column of words. A row without
    numbers is an image without objects. Where the table gives sizes of images, they must be those of the files.

    Raises:
        DataError: there are no columns of boxes, no valid box, or most boxes reach beyond their images.
    """
    columns = table_box_columns(content)
    if columns is None:
        among = shown(", ".join(content.columns.free), 300)
        raise content.error(f"no columns of boxes among {among}; name them xmin, ymin, xmax, ymax or x, y, w, h")
    skipped = list(content.table.skipped)
    rows, notes = _without_crowds(content, list(content.files(skipped)))
    images = _by_file(columns, rows, skipped)
    columns = _lists_as_written(columns, images)
    relative = _to_pixels(images)
    if relative:
        notes.append("boxes are in shares of the image")
    else:
        images = _of_right_size(content, columns, images, skipped)
        _refuse_beyond(content, columns, images)
    label = _label_column(content, columns)
    unused = content.unused((*columns.names, *([label] if label else [])))
    notes += [content.used(label=label, boxes=", ".join(columns.names)), *unused]
    if label is None:
        notes.append(f"no column of classes, so all objects are called {_OBJECT}; --label-column names one")
    dataset = largest_objects(content.source, NAME, [_annotated(image, label) for image in images], skipped)
    return replace(dataset, notes=(*content.table.notes, *notes, *content.lookup.notes(), *dataset.notes))


def _without_crowds(content: TableContent, rows: list[FoundRow]) -> tuple[list[FoundRow], list[str]]:
    """The rows without those whose box is around a group of objects, and a note on them."""
    column = named(content.table.names, _CROWDS)
    kept = [row for row in rows if column is None or plain(row.row[column]) not in ("1", "1.0", "true")]
    left = len(rows) - len(kept)
    return kept, [f"boxes around groups are left out ({column}): {left:,}"] if left else []


def _by_file(columns: BoxColumns, rows: list[FoundRow], skipped: list[Skipped]) -> list[_Objects]:
    """The rows of each file, with its header; files whose rows disagree about the split are skipped."""
    images: dict[Path, _Objects] = {}
    disagreeing: dict[Path, str] = {}
    for row in rows:
        image = images.setdefault(row.file, _Objects(row))
        image.rows.append((row, columns.read(row.row)))
        if row.split != image.found.split:
            first = image.found
            disagreeing.setdefault(
                row.file,
                f"rows disagree, {first.row.place}: {first.split or 'no split'}, "
                f"{row.row.place}: {row.split or 'no split'}",
            )
    skipped += [Skipped(images[file].found.name, why) for file, why in disagreeing.items()]
    kept = [image for file, image in images.items() if file not in disagreeing]
    for image, header in zip(kept, read_headers([image.found.file for image in kept]), strict=True):
        image.header = header if isinstance(header, Header) else None
    return kept


def _lists_as_written(columns: BoxColumns, images: list[_Objects]) -> BoxColumns:
    """A column of lists as x, y, width, height, unless these reach beyond images and corners do not; read again."""
    if columns.form != LIST_SIDES or not any(_beyond(image) for image in images):
        return columns
    corners = as_corners(columns)
    again = [replace(image, rows=[(row, corners.read(row.row)) for row, _ in image.rows]) for image in images]
    valid = all(box[2] >= box[0] and box[3] >= box[1] for image in again for box in image.boxes)
    if not valid or any(_beyond(image) for image in again):
        return columns
    for image, other in zip(images, again, strict=True):
        image.rows = other.rows
    return corners


def _to_pixels(images: list[_Objects]) -> bool:
    """Multiply boxes by the sizes of their images if all are in shares of these; whether they are."""
    boxes = [box for image in images for box in image.boxes]
    relative = bool(boxes) and all(-0.01 <= side <= 1.01 for box in boxes for side in box)
    if not relative or all(side == int(side) for box in boxes for side in box):
        return False
    for image in images:
        if image.header is not None:
            across, down = image.header.width, image.header.height
            image.rows = [
                (row, box and (box[0] * across, box[1] * down, box[2] * across, box[3] * down))
                for row, box in image.rows
            ]
    return True


def _of_right_size(
    content: TableContent, columns: BoxColumns, images: list[_Objects], skipped: list[Skipped]
) -> list[_Objects]:
    """The images whose size is the one in the table, if the table gives sizes; the others are skipped."""
    placed = content.columns
    sizes = size_columns(content.table.names, (*columns.names, *placed.labels, placed.image))
    kept = []
    for image in images:
        why = _size_error(image, sizes) if sizes and image.boxes else ""
        if why:
            skipped.append(Skipped(image.found.name, why))
        else:
            kept.append(image)
    return kept


def _size_error(image: _Objects, columns: tuple[str, str]) -> str:
    """Why the boxes of an image do not belong to its file; empty if they do, or the table does not tell."""
    written = NumberFormat()
    for row, _ in image.rows:
        width, height = (written.read(row.row[name]) for name in columns)
        known = image.header is not None and math.isfinite(width + height) and width > 0 and height > 0
        if known and image.header and (width, height) != (image.header.width, image.header.height):
            return (
                f"{row.row.place} gives its size as {width:g} x {height:g} and the file is "
                f"{image.header.width} x {image.header.height} (width x height)"
            )
    return ""


def _beyond(image: _Objects) -> Box | None:
    """A box that reaches beyond the image, or None."""
    if image.header is None:
        return None
    across, down = image.header.width + _MARGIN, image.header.height + _MARGIN
    return next((box for box in image.boxes if box[2] > across or box[3] > down or min(box[:2]) < -_MARGIN), None)


def _refuse_beyond(content: TableContent, columns: BoxColumns, images: list[_Objects]) -> None:
    beyond = [(image, box) for image in images if (box := _beyond(image))]
    if len(beyond) <= _BEYOND * sum(bool(image.boxes) for image in images):
        return
    image, box = beyond[0]
    size = f"{image.header.width} x {image.header.height}" if image.header else ""
    raise content.error(
        f"boxes of {len(beyond):,} of {len(images):,} images reach beyond them, such as "
        f"{' '.join(f'{side:g}' for side in box)} in {image.found.name} of {size} (width x height); "
        f"{', '.join(columns.names)} are read as {columns.form} in pixels: rename them, or give the images annotated"
    )


def _label_column(content: TableContent, columns: BoxColumns) -> str | None:
    """The column of the objects' classes: given, VIA's, of a common name, or the only one of words; None if none is."""
    placed = content.columns
    if placed.labels:
        return placed.labels[0]
    others = [*placed.free, *(name for name, why in placed.left_out.items() if why == CONSTANT)]
    left = [name for name in content.table.names if name in others and name not in columns.names]
    if plain_name(columns.names[0]) == VIA_SHAPE:
        return named(content.table.names, [VIA_LABELS])
    words = [
        name for name in left if not all(is_number(cell) or is_missing(cell) for cell in content.table.column(name))
    ]
    return named(left, OBJECT_LABEL) or (words[0] if len(words) == 1 else None)


def _annotated(image: _Objects, label: str | None) -> AnnotatedImage:
    """The image with its objects, each once."""
    found = image.found
    objects = [(_label(row, label), box) for row, box in image.rows if box is not None]
    return AnnotatedImage(found.file, found.name, found.split, list(dict.fromkeys(objects)), found.group)


def _label(row: FoundRow, column: str | None) -> str:
    if column is None:
        return _OBJECT
    cell = row.row[column]
    return label_of(region_label(cell) if plain_name(column) == VIA_LABELS else cell)

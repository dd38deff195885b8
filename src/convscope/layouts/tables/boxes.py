"""Tables of boxes: one object per row."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from convscope.datasets.cells import NumberFormat, is_missing, is_number, label_of, plain, shown
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.targets.annotated_size import Extent
from convscope.datasets.targets.annotations import AnnotatedImage, largest_objects
from convscope.layouts.tables.box_columns import (
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
from convscope.layouts.tables.class_descriptions import described
from convscope.layouts.tables.column_words import DOMAIN, OBJECT_LABEL, named, plain_name
from convscope.layouts.tables.columns import CONSTANT
from convscope.layouts.tables.content import NAME, FoundRow, TableContent

_OBJECT = "object"  # the class of objects without one
_CROWDS = ("isgroupof", "iscrowd", "is_crowd", "is_group_of")
_MARGIN = 2.0  # pixels that a box may lie beyond its image, by rounding
_BEYOND = 0.5  # share of images with boxes beyond them above which the columns are misread
_FEWEST = 3  # such images
_TRIED = 100  # images whose sizes are read to compare boxes with them


@dataclass
class _Objects:
    """A file with the rows and boxes of its objects; None is a row without one."""

    found: FoundRow
    rows: list[tuple[FoundRow, Box | None]] = field(default_factory=list)
    declared: Extent | None = None
    """Width and height of the image in the table."""
    extent: Extent | None = None
    """Width and height of the annotated picture: declared, or of some files their own; None if unknown."""

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
    _set_sizes(content, columns, images)
    shares = _are_shares(images)
    if shares:
        notes.append("boxes are in shares of the image")
    else:
        columns = _lists_as_written(columns, images)
        _check_within(content, columns, images)
    label = _label_column(content, columns)
    used = (*columns.names, *([label] if label else []))
    notes = [content.used(label=label, boxes=", ".join(columns.names)), *content.unused(used), *notes]
    if label is None:
        notes.append(f"no column of classes, so all objects are called {_OBJECT}; --label-column names one")
    annotated = [_annotated(image, label, shares) for image in images]
    names, named_by = described(content.lookup.folder, (name for image in annotated for name, _ in image.objects))
    for image in annotated if names else ():
        image.objects = [(names.get(name, name), box) for name, box in image.objects]
    notes = [*content.table.notes, *content.notes, *notes, *named_by, *content.lookup.notes()]
    return largest_objects(content.source, NAME, annotated, skipped, notes)


def _without_crowds(content: TableContent, rows: list[FoundRow]) -> tuple[list[FoundRow], list[str]]:
    """The rows without those whose box is around a group of objects, and a note on them."""
    column = named(content.table.names, _CROWDS)
    kept = [row for row in rows if column is None or plain(row.row[column]) not in ("1", "1.0", "true")]
    left = len(rows) - len(kept)
    return kept, [f"boxes around groups are left out ({column}): {left:,}"] if left else []


def _by_file(columns: BoxColumns, rows: list[FoundRow], skipped: list[Skipped]) -> list[_Objects]:
    """The rows of each file; files whose rows disagree about the split are skipped."""
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
    return [image for file, image in images.items() if file not in disagreeing]


def _set_sizes(content: TableContent, columns: BoxColumns, images: list[_Objects]) -> None:
    """Set the sizes that the table gives, or else those of some files."""
    placed, written = content.columns, NumberFormat()
    names = size_columns(content.table.names, (*columns.names, *placed.labels, placed.image))
    for image in images if names else ():
        width, height = (written.read(image.found.row[name]) for name in names or ())
        if math.isfinite(width + height) and min(width, height) > 0:
            image.declared = image.extent = (width, height)
    some = [image for image in images if image.declared is None and image.boxes]
    some = some[:: max(1, len(some) // _TRIED)]
    for image, header in zip(some, read_headers([image.found.file for image in some]), strict=True):
        if isinstance(header, Header):
            image.extent = (header.width, header.height)


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


def _are_shares(images: list[_Objects]) -> bool:
    """Whether all boxes are shares of the width and height of their images."""
    sides = [side for image in images for box in image.boxes for side in box]
    return bool(sides) and all(-0.01 <= side <= 1.01 for side in sides) and any(side % 1 for side in sides)


def _beyond(image: _Objects) -> Box | None:
    """A box that reaches beyond the image, or None."""
    if image.extent is None:
        return None
    across, down = image.extent[0] + _MARGIN, image.extent[1] + _MARGIN
    return next((box for box in image.boxes if box[2] > across or box[3] > down or min(box[:2]) < -_MARGIN), None)


def _check_within(content: TableContent, columns: BoxColumns, images: list[_Objects]) -> None:
    known = [image for image in images if image.extent is not None and image.boxes]
    beyond = [(image, box, image.extent) for image in known if image.extent and (box := _beyond(image))]
    if len(beyond) <= _BEYOND * len(known) or len(beyond) < _FEWEST:
        return
    image, box, extent = beyond[0]
    raise content.error(
        f"boxes reach beyond {len(beyond):,} of {len(known):,} images, such as "
        f"{' '.join(f'{side:g}' for side in box)} in {image.found.name} of {extent[1]:g} x {extent[0]:g} "
        f"(height x width); {', '.join(columns.names)} are read as {columns.form} in pixels: "
        "rename the columns, or give the images that were annotated"
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
        name
        for name in left
        if plain_name(name) not in DOMAIN
        and not all(is_number(cell) or is_missing(cell) for cell in content.table.column(name))
    ]
    return named(left, OBJECT_LABEL) or (words[0] if len(words) == 1 else None)


def _annotated(image: _Objects, label: str | None, shares: bool) -> AnnotatedImage:
    found = image.found
    objects = [(_label(row, label), box) for row, box in image.rows if box is not None]
    return AnnotatedImage(
        found.file,
        found.name,
        found.split,
        list(dict.fromkeys(objects)),
        found.group,
        declared=image.declared,
        shares=shares,
    )


def _label(row: FoundRow, column: str | None) -> str:
    if column is None:
        return _OBJECT
    cell = row.row[column]
    return label_of(region_label(cell) if plain_name(column) == VIA_LABELS else cell)

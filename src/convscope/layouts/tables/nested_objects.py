"""A column of all objects of an image -> one row per object, as Hugging Face's datasets of boxes need."""

import json
from typing import Any

from convscope.datasets.cells import as_cell
from convscope.layouts.tables.column_words import named
from convscope.layouts.tables.rows import TableRow, TableRows

_OBJECTS = ("objects", "annotations")
_BOXES = ("bbox", "bboxes", "box", "boxes")
_CLASSES = ("category", "categories", "label", "labels", "class", "classes", "category_id")
BOX, CLASS = "bbox", "category"
"""The columns of the result."""

Object = tuple[Any, Any]
"""Box and class."""


def one_row_per_object(table: TableRows) -> TableRows:
    """The table with a row for each object of its column `objects`; unchanged if it has none.

    A cell is ``{"bbox": [[...], ...], "category": [...]}`` or ``[{"bbox": [...], "category": ...}, ...]``.
    """
    column = named(table.names, _OBJECTS)
    if column is None:
        return table
    found = [_objects(row[column]) for row in table.rows]
    if not any(found):
        return table
    rows = []
    for row, objects in zip(table.rows, found, strict=True):
        others = {name: cell for name, cell in row.cells.items() if name not in (column, BOX, CLASS)}
        for box, label in objects or [(None, None)]:
            rows.append(TableRow({**others, BOX: as_cell(box), CLASS: as_cell(label)}, row.number, row.file))
    names = [name for name in table.names if name not in (column, BOX, CLASS)]
    return TableRows([*names, BOX, CLASS], rows, table.notes, table.skipped, table.images, table.aliases)


def _objects(cell: str) -> list[Object] | None:
    """The objects of a cell; None if it holds none."""
    if cell[:1] not in ("{", "["):
        return None
    try:
        content = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, list):
        return [(_of(one, _BOXES), _of(one, _CLASSES)) for one in content if isinstance(one, dict)]
    boxes = _of(content, _BOXES)
    if not isinstance(boxes, list):
        return None
    labels = _of(content, _CLASSES)
    labels = labels if isinstance(labels, list) else []
    return [(box, labels[i] if i < len(labels) else None) for i, box in enumerate(boxes)]


def _of(content: dict[str, Any], words: tuple[str, ...]) -> Any:
    return next((content[word] for word in words if word in content), None)

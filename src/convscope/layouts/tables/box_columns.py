"""Columns that hold boxes, in the forms that annotation tools and published sets write."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from convscope.datasets.cells import NumberFormat, is_missing, list_of, number_format
from convscope.layouts.tables.column_words import plain_name
from convscope.layouts.tables.rows import TableRow, TableRows

Box = tuple[float, float, float, float]
_NO_NUMBER: Box = (math.nan,) * 4

_PREFIXES = ("", "bbox_", "box_", "bb_", "rect_", "roi.", "roi_", "roi")
_CORNERS = (
    *(("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("x_min", "y_min", "x_max", "y_max")),
    *(("left", "top", "right", "bottom"), ("xtl", "ytl", "xbr", "ybr"), ("x0", "y0", "x1", "y1")),
    *(("x_1", "y_1", "x_2", "y_2"), ("minx", "miny", "maxx", "maxy"), ("min_x", "min_y", "max_x", "max_y")),
)
_SIDES = (
    *(("x", "y", "w", "h"), ("x", "y", "width", "height"), ("left", "top", "width", "height")),
    *(("xmin", "ymin", "width", "height"), ("x_min", "y_min", "width", "height"), ("x1", "y1", "width", "height")),
    *(("x_1", "y_1", "width", "height"), ("xmin", "ymin", "w", "h")),
)
_CENTRES = (
    *(("x_center", "y_center", "width", "height"), ("xcenter", "ycenter", "width", "height")),
    *(("center_x", "center_y", "width", "height"), ("x_centre", "y_centre", "width", "height")),
    *(("cx", "cy", "w", "h"), ("cx", "cy", "width", "height"), ("x_center", "y_center", "w", "h")),
)
_LISTS = ("bbox", "box", "bounding_box", "bboxes", "boundingbox")
VIA_SHAPE, VIA_LABELS = "region_shape_attributes", "region_attributes"


@dataclass(frozen=True)
class BoxColumns:
    """The columns of a box."""

    names: tuple[str, ...]
    form: str
    """What the numbers are, for notes and messages."""
    read: Callable[[TableRow], Box | None]
    """A row's box as xyxy in the units of the table, nan where a cell is no number; None if the row has no box."""


def box_columns(table: TableRows, names: Sequence[str], source: str) -> BoxColumns | None:
    """The columns of a box among `names`, or None.

    Raises:
        DataError: commas in their numbers may separate decimals or thousands.
    """
    known = {plain_name(name): name for name in names}
    if VIA_SHAPE in known:
        shape = known[VIA_SHAPE]
        return BoxColumns((shape,), "VIA's regions", lambda row: _region(row[shape]))
    for words, form, convert in _FORMS:
        for prefix in _PREFIXES:
            if all(prefix + word in known for word in words):
                columns = tuple(known[prefix + word] for word in words)
                formats = [number_format(table.column(name), f"{source}: column {name}") for name in columns]
                return BoxColumns(columns, form, _numbers(columns, formats, convert))
    lists = [known[word] for word in _LISTS if word in known]
    column = next((name for name in lists if any(map(_four, table.column(name)[:100]))), None)
    return None if column is None else BoxColumns((column,), LIST_SIDES, lambda row: _listed(row[column], _from_sides))


def as_corners(columns: BoxColumns) -> BoxColumns:
    """A column of lists whose numbers are xyxy instead of x, y, width, height."""
    column = columns.names[0]
    return BoxColumns(columns.names, "x1, y1, x2, y2", lambda row: _listed(row[column], _from_corners))


def region_label(cell: str) -> str:
    """The label in VIA's attributes of a region: its only one, or that of a common name; "" if there is none."""
    content = _json(cell)
    if not isinstance(content, dict):
        return ""
    for name in ("label", "class", "name", "type", "category", "species", *content):
        value = content.get(name)
        if isinstance(value, dict):  # check boxes: name -> whether it is set
            value = "|".join(str(key) for key, chosen in value.items() if chosen)
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value)
    return ""


def _from_corners(a: float, b: float, c: float, d: float) -> Box:
    return a, b, c, d


def _from_sides(a: float, b: float, c: float, d: float) -> Box:
    return a, b, a + c, b + d


def _from_centre(a: float, b: float, c: float, d: float) -> Box:
    return a - c / 2, b - d / 2, a + c / 2, b + d / 2


Convert = Callable[[float, float, float, float], Box]
LIST_SIDES = "x, y, width, height"
_FORMS: tuple[tuple[tuple[str, ...], str, Convert], ...] = (
    *((words, "corners", _from_corners) for words in _CORNERS),
    *((words, "centre, width and height", _from_centre) for words in _CENTRES),
    *((words, "corner, width and height", _from_sides) for words in _SIDES),
)


def _numbers(
    columns: tuple[str, ...], formats: Sequence[NumberFormat], convert: Convert
) -> Callable[[TableRow], Box | None]:
    def read(row: TableRow) -> Box | None:
        cells = [row[name] for name in columns]
        if all(map(is_missing, cells)):
            return None
        a, b, c, d = (written.read(cell) for written, cell in zip(formats, cells, strict=True))
        return convert(a, b, c, d)

    return read


def _four(cell: str) -> list[float] | None:
    """Four numbers of a cell: a list, or numbers with blanks or commas between."""
    found = list_of(cell)
    words = found if found is not None else cell.replace(",", " ").split()
    point = NumberFormat()
    numbers = [point.read(str(word)) for word in words] if len(words) == 4 else []
    return numbers if numbers and not any(map(math.isnan, numbers)) else None


def _listed(cell: str, convert: Convert) -> Box | None:
    if is_missing(cell) or cell.strip() == "[]":
        return None
    numbers = _four(cell)
    return convert(*numbers) if numbers else _NO_NUMBER


def _region(cell: str) -> Box | None:
    """The box around one of VIA's shapes; None for a row without one."""
    shape = _json(cell)
    if not isinstance(shape, dict) or not shape:
        return None if is_missing(cell) or cell.strip() == "{}" else _NO_NUMBER
    try:
        return _around(shape)
    except (KeyError, TypeError, ValueError, OverflowError):
        return _NO_NUMBER


def _around(shape: dict[str, Any]) -> Box:
    kind = shape.get("name")
    if kind == "rect":
        return _from_sides(*(float(shape[key]) for key in ("x", "y", "width", "height")))
    if kind in ("circle", "ellipse"):
        across, down = (float(shape[key]) for key in (("r", "r") if kind == "circle" else ("rx", "ry")))
        return _from_centre(float(shape["cx"]), float(shape["cy"]), 2 * across, 2 * down)
    x, y = ([float(value) for value in shape[key]] for key in ("all_points_x", "all_points_y"))
    return min(x), min(y), max(x), max(y)


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def size_columns(names: Sequence[str], taken: Sequence[str]) -> tuple[str, str] | None:
    """The columns of an image's width and height beside its boxes, or None."""
    known = {plain_name(name): name for name in names if name not in taken}
    for prefix, (width, height) in product(("", "image_", "img_", "im_"), (("width", "height"), ("w", "h"))):
        if prefix + width in known and prefix + height in known:
            return known[prefix + width], known[prefix + height]
    return None

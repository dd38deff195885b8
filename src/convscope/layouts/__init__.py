"""Layouts of data on disk: one file per layout."""

from convscope.layouts.builtin import BUILTINS, digits, shapes
from convscope.layouts.drawn_shapes import Shapes, draw_shapes
from convscope.layouts.folders.class_folders import read_folder
from convscope.layouts.masks.mask_folders import read_masks
from convscope.layouts.recognise import open_data, recognise
from convscope.layouts.registry import LAYOUTS
from convscope.layouts.tables.columns import Columns
from convscope.layouts.tables.table import read_table

__all__ = [
    "BUILTINS",
    "LAYOUTS",
    "Columns",
    "Shapes",
    "digits",
    "draw_shapes",
    "open_data",
    "read_folder",
    "read_masks",
    "read_table",
    "recognise",
    "shapes",
]

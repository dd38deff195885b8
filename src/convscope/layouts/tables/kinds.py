"""Kinds of target of tables: detection, and the reader of each."""

from collections.abc import Callable

from convscope.datasets.dataset import Dataset
from convscope.datasets.targets.boxes import BOXES
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.labels import LABELS
from convscope.datasets.targets.masks import MASKS
from convscope.datasets.targets.numbers import NUMBERS
from convscope.layouts.tables.boxes import read_boxes, table_box_columns
from convscope.layouts.tables.classes import label_column, read_classes
from convscope.layouts.tables.column_words import LABELS as LABELS_WORDS
from convscope.layouts.tables.column_words import named, plain_name
from convscope.layouts.tables.content import TableContent
from convscope.layouts.tables.labels import are_classes, read_labels, separator_of
from convscope.layouts.tables.masks import mask_column, read_table_masks
from convscope.layouts.tables.numbers import is_quantity, number_columns, read_numbers
from convscope.layouts.tables.presence_columns import presence_columns

READERS: dict[str, Callable[[TableContent], Dataset]] = {
    CLASSES.name: read_classes,
    LABELS.name: read_labels,
    NUMBERS.name: read_numbers,
    BOXES.name: read_boxes,
    MASKS.name: read_table_masks,
}


def detect_target_kind(content: TableContent) -> str:
    """Detect the kind of target of a table: masks, boxes, labels, numbers, or else classes.

    Raises:
        DataError: a few cells of a column of numbers are none, or their commas are ambiguous.
    """
    given = content.columns.labels
    if mask_column(content) is not None:
        return MASKS.name
    column = label_column(content)
    if table_box_columns(content) is not None and not (column in given and is_quantity(content, column)):
        return BOXES.name
    if len(given) > 1:
        return (
            NUMBERS.name
            if set(number_columns(content)) == set(given) != set(presence_columns(content))
            else LABELS.name
        )
    presence = presence_columns(content)
    if presence and (column is None or column in presence):
        return LABELS.name
    several = named(content.columns.free, LABELS_WORDS)
    if column is None and several and separator_of(several, content.table.column(several)):
        return LABELS.name
    if column is None:
        fractions = any(is_quantity(content, name) for name in number_columns(content))
        return NUMBERS.name if fractions else CLASSES.name
    return _kind_of_column(content, column)


def _kind_of_column(content: TableContent, column: str) -> str:
    values = content.table.column(column)
    separator = separator_of(column, values)
    if separator and plain_name(column) in LABELS_WORDS:
        return LABELS.name
    if is_quantity(content, column):
        return NUMBERS.name
    return LABELS.name if separator and not are_classes(column, values, separator) else CLASSES.name

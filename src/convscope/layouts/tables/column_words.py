"""The words by which the columns of tables are recognised."""

from collections.abc import Iterable, Sequence

IMAGE = (
    *("image", "file", "filename", "file_name", "image_file", "image_path", "image_name", "path", "filepath"),
    *("file_path", "img", "img_path", "picture", "photo", "image_id", "imageid", "img_id", "id", "name"),
)
LABEL = (
    *("label", "class", "category", "target", "species", "class_name", "label_name", "category_name", "classname"),
    *("labelname", "y", "choice"),
)
OBJECT_LABEL = (*LABEL, "name", "class_id", "label_id", "category_id")
"""Also names the class of an object beside its box."""
LABELS = ("labels", "tags", "categories", "classes", "genres", "attributes", "keywords")
"""One column of several labels."""
DOMAIN = (
    *("source", "domain", "site", "origin", "camera", "device", "dataset", "annotator", "labeler", "author"),
    *("worker", "session", "video", "sequence", "location", "country", "city", "date", "license", "comment", "notes"),
)
"""Says where an image is from, or who annotated it: no class of an object."""
SPLIT = ("split", "set", "subset", "partition", "role", "usage")
SPLIT_FLAGS = {"is_valid": "validation", "is_val": "validation", "is_validation": "validation", "is_test": "test"}
"""Columns of yes and no: the split of rows of yes; others are train."""
GROUP = ("group", "group_id", "groups", "patient", "patient_id", "subject", "subject_id")
INDEX = ("index", "idx", "id", "no", "nr", "number", "row", "row_id", "#", "n")
SIZES = (
    *(("width", "height"), ("w", "h"), ("image_width", "image_height"), ("img_width", "img_height")),
    *(("size",), ("file_size",), ("filesize",), ("image_size",), ("bytes",), ("channels",)),
)
"""Describe the file, if all of a tuple occur."""
NO_COLUMN = ("none", "-")
"""Given for a column that the table does not have."""


def plain_name(name: str) -> str:
    """A column's name, for comparison."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def named(names: Sequence[str], words: Iterable[str], taken: Sequence[str] = ()) -> str | None:
    """The first column of one of these names, in their order."""
    known = {plain_name(name): name for name in reversed(names)}
    return next((known[word] for word in words if word in known and known[word] not in taken), None)

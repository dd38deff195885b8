"""Crop the objects of a data set with boxes."""

from pathlib import Path

from convscope.datasets import write_crops
from convscope.datasets.targets.boxes import BOXES
from convscope.layouts import open_data


def crop(data: str | Path, *, out: str | Path = "crops", context: float = 0.5) -> Path:
    """Write one image per object and a table of their boxes to train on; return the path of the table.

    Args:
        data: a folder or table with boxes.
        out: a new folder.
        context: margin around the object, as a fraction of its longer side.

    Raises:
        DataError: there are no boxes, or the folder exists already.
    """
    return write_crops(open_data(data, target_kind=BOXES.name), Path(out), context)

"""One image per object of a data set of boxes."""

from pathlib import Path

from convscope.data import open_data, write_crops
from convscope.data.targets.boxes import BOXES


def crop(data: str | Path, *, out: str | Path = "crops", context: float = 0.5) -> Path:
    """Write an image per object and a table of their boxes, which can be trained on; return the table's path.

    Args:
        data: a folder or table with boxes.
        out: a new folder.
        context: how much larger than the object an image is, as a share of its longer side.

    Raises:
        DataError: there are no boxes, or the folder exists already.
    """
    return write_crops(open_data(data, target_kind=BOXES.name), Path(out), context)

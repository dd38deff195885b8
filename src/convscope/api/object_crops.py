"""One picture per object of a data set of boxes."""

from pathlib import Path

from convscope.data import open_data, write_crops
from convscope.data.targets.boxes import BOXES


def write_object_crops(source: str | Path, out: Path, context: float = 0.5) -> Path:
    """Write a picture per object and a table of their boxes, which can be trained on; see `data.write_crops`.

    Raises:
        DataError: there are no boxes, or the folder is there already.
    """
    return write_crops(open_data(source, target_kind=BOXES.name), out, context)

"""Object crops: one image per annotated object."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.image import decode
from convscope.datasets.targets.boxes import box_error, clip_box
from convscope.errors import DataError
from convscope.files import unique_stems

COLUMNS = ("file", "label", "xmin", "ymin", "xmax", "ymax", "split", "group")


def write_crops(dataset: Dataset, folder: Path, context: float = 0.5, seed: int = 0) -> Path:
    """Crop every object from its image with some context, and list the crops in a table of boxes.

    Crops are named after their image; equal names also have folder and ending, see `unique_stems`. The position
    of the object in the crop is random, so that it carries no information. Crops of one image are a group,
    which stays in the same split.

    Args:
        dataset: a dataset of boxes.
        folder: a new folder.
        context: width and height added to the object's longer side, as a fraction of it.
        seed: seed of the random positions.

    Returns:
        The table, which `read_table` reads.

    Raises:
        DataError: the data contain no boxes, or the folder cannot be written.
    """
    if dataset.objects is None or not isinstance(dataset.images, tuple):
        raise DataError(f"{dataset.source}: has no image files with boxes, so no crops can be made")
    table = folder / "boxes.csv"
    try:
        folder.mkdir(parents=True)
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for row, stem in enumerate(unique_stems(dataset.names)):
                writer.writerows(_crops_of(dataset, row, folder / stem, context, seed))
    except FileExistsError:
        raise DataError(f"{folder}: already exists; choose another folder with --out") from None
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); choose another folder with --out") from None
    return table


def _crops_of(dataset: Dataset, row: int, stem: Path, context: float, seed: int) -> list[list[object]]:
    """Write the crops of one image's objects to files stem-0.png ... and return their rows of the table."""
    pixels = decode(dataset.images[row], dataset.spec()).pixels
    size = (pixels.shape[1], pixels.shape[2])
    random, rows = np.random.default_rng([seed, row]), []
    for number, (label, box) in enumerate((dataset.objects or ())[row]):
        if box_error(box, size):
            continue
        left, top, right, bottom = _with_context(clip_box(box, size), size, context, random)
        crop = np.ascontiguousarray(pixels[:, top:bottom, left:right].transpose(1, 2, 0))
        file = stem.with_name(f"{stem.name}-{number}{'.png' if crop.shape[2] in (1, 3, 4) else '.npy'}")
        if file.suffix == ".png":
            Image.fromarray(crop[..., 0] if crop.shape[2] == 1 else crop).save(file)
        else:
            np.save(file, crop)
        corners = [round(value, 2) for value in np.subtract(clip_box(box, size), (left, top, left, top)).tolist()]
        rows.append([file.name, label, *corners, dataset.splits[row], dataset.names[row]])
    return rows


def _with_context(
    box: tuple[float, ...], size: tuple[int, int], context: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Xyxy in integer pixels: the box with random context on each side, inside the image of `size` (H, W)."""
    low, high = np.array(box[:2]), np.array(box[2:])
    free = (1 + context) * (high - low).max() - (high - low)
    before = free * random.random(2)
    first = np.floor(np.maximum(low - before, 0))
    last = np.ceil(np.minimum(high + free - before, size[::-1]))
    return np.concatenate([first, last]).astype(np.int64)

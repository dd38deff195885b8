"""Images with EXIF orientations, and the files of annotation tools, for tests of box layouts."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def photo(path: Path, seed: int = 0, size: tuple[int, int] = (20, 16), orientation: int = 1) -> Path:
    """Write a small random image, `size` (width, height) as stored."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def voc(file: Path, *objects: tuple[object, ...], image: str = "", size: tuple[int, int] | None = None) -> Path:
    """Write a VOC annotation; objects are label, xmin, ymin, xmax, ymax; size is (width, height)."""
    file.parent.mkdir(exist_ok=True, parents=True)
    inside = "".join(OBJECT.format(*thing) for thing in objects)
    known = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    file.write_text(f"<annotation><filename>{image}</filename>{known}{inside}</annotation>")
    return file


def coco(
    file: Path,
    images: list[dict[str, object]],
    annotations: list[dict[str, object]],
    categories: list[dict[str, object]] | None = None,
) -> Path:
    """Write a COCO file; images get their index as id unless they have one; categories are 1 nut and 2 bolt."""
    file.parent.mkdir(exist_ok=True, parents=True)
    content = {
        "images": [{"id": i, **image} for i, image in enumerate(images)],
        "annotations": [{"id": i, **annotation} for i, annotation in enumerate(annotations)],
        "categories": categories or [{"id": 1, "name": "nut"}, {"id": 2, "name": "bolt"}],
    }
    file.write_text(json.dumps(content))
    return file

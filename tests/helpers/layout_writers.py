"""The same thirty small images with targets of every kind, written in every layout."""

import csv
import json
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from helpers.recordings import spoken

NAMES = ("ant", "bee", "cat")
HEIGHT, WIDTH, BLOCK = 12, 16, 5
COUNT = 12


@dataclass(frozen=True, eq=False)
class Example:
    """An image (H, W, C) with one bright block: its class, what is in each pixel, and its box x1, y1, x2, y2."""

    pixels: np.ndarray
    kind: int
    mask: np.ndarray
    box: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        return NAMES[self.kind]

    @property
    def mean(self) -> float:
        return round(float(self.pixels.mean()), 2)


def examples(channels: int, count: int = COUNT) -> list[Example]:
    """Blocks whose brightness tells the class, on noise."""
    random, found = np.random.default_rng(0), []
    for number in range(count):
        kind = number % len(NAMES)
        pixels = random.integers(0, 60, (HEIGHT, WIDTH, channels)).astype(np.uint8)
        top, left = int(random.integers(2, HEIGHT - BLOCK)), int(random.integers(2, WIDTH - BLOCK))
        place = np.s_[top : top + BLOCK, left : left + BLOCK]
        pixels[place] += np.uint8(90 + 50 * kind)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[place] = kind + 1
        found.append(Example(pixels, kind, mask, (left, top, left + BLOCK, top + BLOCK)))
    return found


def write(layout: str, folder: Path, target: str, channels: int) -> str:
    """Write the images in a layout, and return what is to be trained on.

    Args:
        layout: a name in `LAYOUTS`.
        folder: an empty folder.
        target: the kind of target.
        channels: of the images; 1, 3, or more for TIFF files.
    """
    return str(WRITERS[layout](folder, examples(channels), target))


def image_file(stem: Path, example: Example) -> Path:
    """Write a PNG; a TIFF of more than three channels."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    if example.pixels.shape[2] > 3:
        file = stem.with_name(f"{stem.name}.tif")
        tifffile.imwrite(file, example.pixels, photometric="minisblack", planarconfig="contig")
        return file
    file = stem.with_name(f"{stem.name}.png")
    Image.fromarray(example.pixels[..., 0] if example.pixels.shape[2] == 1 else example.pixels).save(file)
    return file


def in_folders(folder: Path, given: Sequence[Example], target: str) -> Path:
    for number, example in enumerate(given):
        file = image_file(folder / example.name / f"{number}", example)
        if target == "labels" and number % 2:  # every second image has two labels
            other = folder / NAMES[(example.kind + 1) % len(NAMES)] / f"{number}{file.suffix}"
            other.parent.mkdir(exist_ok=True)
            os.link(file, other)
    return folder


def in_nested_folders(folder: Path, given: Sequence[Example], _target: str) -> Path:
    for number, example in enumerate(given):
        image_file(folder / f"fold{number % 2}" / example.name / f"{number}", example)
    return folder


def in_file_names(folder: Path, given: Sequence[Example], _target: str) -> Path:
    for number, example in enumerate(given):
        image_file(folder / f"{example.name}.{number}", example)
    return folder


def row(folder: Path, number: int, example: Example, target: str, place: str) -> dict[str, object]:
    """The row of a table."""
    shown = {"image": f"{place}{image_file(folder / place / f'{number}', example).name}"}
    if target == "masks":
        (folder / "targets").mkdir(exist_ok=True)
        Image.fromarray(example.mask).save(folder / "targets" / f"{number}_mask.png")
        return {**shown, "mask": f"targets/{number}_mask.png"}
    box = dict(zip(("xmin", "ymin", "xmax", "ymax"), example.box, strict=True))
    labels = {name: int(example.kind in (i, (i + number) % 2)) for i, name in enumerate(NAMES)}
    return (
        shown
        | {
            "classes": {"label": example.name},
            "labels": labels,
            "numbers": {"brightness": example.mean},
            "boxes": {"label": example.name, **box},
        }[target]
    )


def in_table(folder: Path, given: Sequence[Example], target: str, place: str = "") -> Path:
    rows = [row(folder, number, example, target, place) for number, example in enumerate(given)]
    with (folder / "train.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "train.csv"


def in_table_folder(folder: Path, given: Sequence[Example], target: str) -> Path:
    in_table(folder, given, target, "images/")
    return folder


def targets_of(given: Sequence[Example], target: str) -> np.ndarray:
    """The targets as an array."""
    kinds = np.array([example.kind for example in given])
    return {
        "classes": lambda: kinds,
        "labels": lambda: np.stack([kinds == 0, kinds > 0, np.arange(len(kinds)) % 2], 1).astype(np.uint8),
        "numbers": lambda: np.array([example.mean for example in given], np.float32),
        "masks": lambda: np.stack([example.mask for example in given]),
    }[target]()


def in_arrays(folder: Path, given: Sequence[Example], target: str) -> Path:
    images = np.stack([example.pixels for example in given])
    np.savez(folder / "few.npz", images=images, labels=targets_of(given, target))
    return folder / "few.npz"


def in_idx(folder: Path, given: Sequence[Example], _target: str) -> Path:
    images = np.stack([example.pixels[..., 0] for example in given])
    for kind, values in (("images-idx3", images), ("labels-idx1", np.array([example.kind for example in given]))):
        header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
        (folder / f"train-{kind}-ubyte").write_bytes(header + values.astype(np.uint8).tobytes())
    return folder


def in_cifar(folder: Path, given: Sequence[Example], _target: str) -> Path:
    whole = ((0, 32 - HEIGHT), (0, 32 - WIDTH), (0, 0))  # the format has one size
    pixels = np.stack([np.pad(example.pixels, whole).transpose(2, 0, 1).ravel() for example in given])
    rows = np.concatenate([np.array([[example.kind] for example in given], np.uint8), pixels], 1)
    (folder / "data_batch_1.bin").write_bytes(rows.tobytes())
    return folder


def in_mask_folders(folder: Path, given: Sequence[Example], _target: str) -> Path:
    (folder / "masks").mkdir()
    for number, example in enumerate(given):
        image_file(folder / "images" / f"{number}", example)
        Image.fromarray(example.mask).save(folder / "masks" / f"{number}.png")
    return folder


def in_voc(folder: Path, given: Sequence[Example], _target: str) -> Path:
    for number, example in enumerate(given):
        image_file(folder / f"{number}", example)
        corners = zip(("xmin", "ymin", "xmax", "ymax"), example.box, strict=True)
        box = "".join(f"<{name}>{value}</{name}>" for name, value in corners)
        thing = f"<object><name>{example.name}</name><bndbox>{box}</bndbox></object>"
        (folder / f"{number}.xml").write_text(f"<annotation>{thing}</annotation>")
    return folder


def in_coco(folder: Path, given: Sequence[Example], _target: str) -> Path:
    files = [image_file(folder / f"{number}", example).name for number, example in enumerate(given)]
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(files)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(NAMES)],
        "annotations": [
            {"image_id": number, "category_id": example.kind, "bbox": [*example.box[:2], BLOCK, BLOCK]}
            for number, example in enumerate(given)
        ],
    }
    (folder / "few.json").write_text(json.dumps(content))
    return folder


def in_yolo(folder: Path, given: Sequence[Example], _target: str) -> Path:
    (folder / "labels").mkdir()
    for number, example in enumerate(given):
        image_file(folder / "images" / f"{number}", example)
        x, y = (example.box[0] + BLOCK / 2) / WIDTH, (example.box[1] + BLOCK / 2) / HEIGHT
        line = f"{example.kind} {x} {y} {BLOCK / WIDTH} {BLOCK / HEIGHT}\n"
        (folder / "labels" / f"{number}.txt").write_text(line)
    return folder


def in_via(folder: Path, given: Sequence[Example], _target: str) -> Path:
    content = {}
    for number, example in enumerate(given):
        name = image_file(folder / f"{number}", example).name
        shape = {"name": "rect", "x": example.box[0], "y": example.box[1], "width": BLOCK, "height": BLOCK}
        regions = [{"shape_attributes": shape, "region_attributes": {"kind": example.name}}]
        content[name] = {"filename": name, "regions": regions}
    (folder / "via.json").write_text(json.dumps(content))
    return folder


def in_label_studio(folder: Path, given: Sequence[Example], target: str) -> Path:
    tasks = []
    for number, example in enumerate(given):
        name = image_file(folder / f"{number}", example).name
        x, y = 100 * example.box[0] / WIDTH, 100 * example.box[1] / HEIGHT
        place = {"x": x, "y": y, "width": 100 * BLOCK / WIDTH, "height": 100 * BLOCK / HEIGHT}
        box = {"type": "rectanglelabels", "value": {**place, "rectanglelabels": [example.name]}}
        choice = {"type": "choices", "value": {"choices": [example.name]}}
        result = {"original_width": WIDTH, "original_height": HEIGHT, **(box if target == "boxes" else choice)}
        entry = {"id": number, "annotations": [{"result": [result]}], "data": {"image": f"/data/upload/1/{name}"}}
        tasks.append(entry)
    (folder / "export.json").write_text(json.dumps(tasks))
    return folder


def in_labelme(folder: Path, given: Sequence[Example], _target: str) -> Path:
    for number, example in enumerate(given):
        name = image_file(folder / f"{number}", example).name
        corners = [list(example.box[:2]), list(example.box[2:])]
        shape = {"label": example.name, "shape_type": "rectangle", "points": corners}
        content = {"shapes": [shape], "imagePath": name, "imageWidth": WIDTH, "imageHeight": HEIGHT}
        (folder / f"{number}.json").write_text(json.dumps(content))
    return folder


def in_cvat(folder: Path, given: Sequence[Example], _target: str) -> Path:
    entries = []
    for number, example in enumerate(given):
        name = image_file(folder / f"{number}", example).name
        corners = zip(("xtl", "ytl", "xbr", "ybr"), example.box, strict=True)
        box = " ".join(f'{corner}="{value}"' for corner, value in corners)
        inside = f'<box label="{example.name}" {box}/>'
        entries.append(f'<image name="{name}" width="{WIDTH}" height="{HEIGHT}">{inside}</image>')
    (folder / "annotations.xml").write_text(f"<annotations>{''.join(entries)}</annotations>")
    return folder


def in_series(folder: Path, given: Sequence[Example], _target: str) -> Path:
    noise = np.random.default_rng(1).normal(0, 0.3, (len(given), 80))
    waves = np.sin(np.arange(80) / 3) * np.array([[1 + example.kind] for example in given]) + noise
    rows = [",".join([one.name, *(f"{v:.4f}" for v in wave)]) for one, wave in zip(given, waves, strict=True)]
    (folder / "few.csv").write_text("\n".join(rows))
    return folder / "few.csv"


def in_name_parts(folder: Path, given: Sequence[Example], _target: str) -> Path:
    return spoken(folder, len(given))


WRITERS: dict[str, Callable[[Path, Sequence[Example], str], Path | str]] = {
    "builtin": lambda *_: "shapes",
    "table": in_table, "table-folder": in_table_folder, "arrays": in_arrays, "idx": in_idx, "cifar": in_cifar,
    "masks": in_mask_folders, "voc": in_voc, "coco": in_coco, "yolo": in_yolo, "via": in_via, "cvat": in_cvat,
    "label-studio": in_label_studio, "labelme": in_labelme, "folder": in_folders, "file-names": in_file_names,
    "name-parts": in_name_parts, "nested-folders": in_nested_folders, "series": in_series,
}  # fmt: skip

"""COCO: one JSON file with images, categories, and annotations whose bbox is x, y, width, height in pixels."""

import json
from pathlib import Path
from typing import Any

from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.datasets.layouts.path_lookup import PathLookup
from convscope.datasets.layouts.voc import resolve_image
from convscope.datasets.targets.annotations import AnnotatedImage, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError


def coco_files(path: Path) -> list[Path]:
    """The JSON files in a folder, or in its folder annotations, that may be COCO annotations."""
    found = sorted([*path.glob("*.json"), *path.glob("annotations/*.json")])
    return [file for file in found if b'"annotations"' in file.read_bytes()]


def read_coco(path: Path) -> Dataset:
    """The images and largest boxes of a JSON file, or of all such files in a folder, whose names contain the split.

    Raises:
        DataError: no COCO file, or no valid box.
    """
    folder = path.absolute() if path.is_dir() else path.absolute().parent
    files = coco_files(path) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path.absolute()}: contains no COCO JSON")
    lookup = PathLookup(folder.parent if folder.name == "annotations" else folder)
    images: list[AnnotatedImage] = []
    skipped: list[Skipped] = []
    for file in files:
        _read(file, lookup, images, skipped)
    return largest_objects(str(path.absolute()), COCO.name, images, skipped)


def _read(file: Path, lookup: PathLookup, images: list[AnnotatedImage], skipped: list[Skipped]) -> None:
    try:
        content = json.loads(file.read_bytes())
        labels = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
        listed = {entry["id"]: str(entry["file_name"]) for entry in content["images"]}
        objects: dict[Any, list[Any]] = {number: [] for number in listed}
        for entry in content["annotations"]:
            x, y, width, height = (float(side) for side in entry["bbox"])
            objects.setdefault(entry["image_id"], []).append(
                (labels[entry["category_id"]], (x, y, x + width, y + height))
            )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file}: not COCO JSON ({type(error).__name__}: {error}); "
            "it needs images, categories and annotations with bbox"
        ) from None
    words = file.stem.replace("-", "_").split("_")
    split = next((split for split in (split_of(word.rstrip("0123456789")) for word in words) if split), "")
    for number, name in listed.items():
        found = resolve_image(lookup, name)
        if isinstance(found, str):
            skipped.append(Skipped(name, found))
        else:
            images.append(AnnotatedImage(found, lookup.name(found), split, objects[number]))


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    path = source.path
    if path.suffix.lower() == ".json" and path.is_file():
        return Recognised(COCO.name, 1.0, "it is a JSON file")
    files = coco_files(path) if settings.target_kind in (None, BOXES.name) and path.is_dir() else []
    if not files:
        return None
    listed = sum(file.read_bytes().count(b'"file_name"') for file in files)
    because = f"{files[0].name} has annotations and lists {listed:,} images"
    return Recognised(COCO.name, confidence_of_share(listed, source.images), because)


COCO = Layout(
    "coco",
    "a JSON file with images, categories and annotations",
    _recognise,
    lambda source, _settings: read_coco(source.path),
)

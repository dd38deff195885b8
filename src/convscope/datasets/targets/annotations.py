"""Annotated images of any format -> one class and box per image."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError

Box = tuple[float, float, float, float]

SEVERAL = (
    "show several objects, of which the largest is used; convscope crop makes an image of each; "
    "use a detector to find all of them"
)


@dataclass
class AnnotatedImage:
    """One image and its objects: (label, xyxy in pixels)."""

    path: Path
    name: str
    split: str = ""
    objects: list[tuple[str, Box]] = field(default_factory=list)
    group: str = ""


def largest_objects(source: str, layout: str, images: Iterable[AnnotatedImage], skipped: Iterable[Skipped]) -> Dataset:
    """The dataset of each image's largest object.

    Boxes with an area take precedence; images without a valid box are added to `skipped` with the reason.

    Raises:
        DataError: no image has a valid box.
    """
    listing = DatasetBuilder(source, layout, target_kind=BOXES.name, skipped=list(skipped))
    multiple = 0
    for image in images:
        if not image.objects:
            listing.skipped.append(Skipped(image.name, "has no box"))
            continue
        multiple += len(image.objects) > 1
        label, box = max(image.objects, key=lambda found: _area(found[1]))
        if not label.strip():
            listing.skipped.append(Skipped(image.name, "has a box without a label"))
            continue
        objects = tuple((name.strip(), found) for name, found in image.objects if name.strip())
        listing.files.append(
            ListedFile(image.path, image.name, label.strip(), image.split, image.group, value=box, objects=objects)
        )
    if multiple:
        listing.notes.append(f"{multiple:,} of {len(listing.files):,} images {SEVERAL}")
    if not listing.files:
        why = f"; the first, {listing.skipped[0].name}: {listing.skipped[0].why}" if listing.skipped else ""
        raise DataError(f"{source}: no image with a box{why}")
    return listing.build()


def _area(box: Box) -> float:
    """The area of a box; -1 for invalid boxes, so that any valid one is larger."""
    width, height = box[2] - box[0], box[3] - box[1]
    return width * height if width > 0 and height > 0 else -1.0

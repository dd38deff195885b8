"""Images with the objects in them, whatever the format -> one class and box per image."""

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
    """The data set of each image's largest object.

    Boxes without area give way to others of their image; what is wrong with an image's only box is said in `skipped`.

    Raises:
        DataError: no image has a box that can be used.
    """
    listing = DatasetBuilder(source, layout, target_kind=BOXES.name, skipped=list(skipped))
    several = 0
    for image in images:
        if not image.objects:
            listing.skipped.append(Skipped(image.name, "has no box"))
            continue
        several += len(image.objects) > 1
        label, box = max(image.objects, key=lambda found: _area(found[1]))
        if not label.strip():
            listing.skipped.append(Skipped(image.name, "has a box without a label"))
            continue
        objects = tuple((name.strip(), found) for name, found in image.objects if name.strip())
        listing.files.append(
            ListedFile(image.path, image.name, label.strip(), image.split, image.group, value=box, objects=objects)
        )
    if several:
        listing.notes.append(f"{several:,} of {len(listing.files):,} images {SEVERAL}")
    if not listing.files:
        why = f"; the first, {listing.skipped[0].name}: {listing.skipped[0].why}" if listing.skipped else ""
        raise DataError(f"{source}: no image with a box{why}")
    return listing.build()


def _area(box: Box) -> float:
    """Of boxes turned inside out less than nothing, so that any sound one is larger."""
    across, down = box[2] - box[0], box[3] - box[1]
    return across * down if across > 0 and down > 0 else -1.0

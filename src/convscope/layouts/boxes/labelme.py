"""LabelMe: one JSON file per image with labelled shapes, and the size of the image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.annotated_size import Box
from convscope.datasets.targets.annotations import AnnotatedImage, examples, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError
from convscope.layouts.boxes.image_finder import ImageFinder
from convscope.layouts.boxes.json_files import extent, files_with, mappings, read_json, reals, text
from convscope.layouts.boxes.own_image import OwnImages
from convscope.layouts.boxes.shapes import box_of_ellipse, box_of_points
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share

_RECTANGLES = ("rectangle", "mask")  # a mask is stored with the corners of its box
_AROUND = ("polygon", "linestrip")


def read_labelme(path: Path) -> Dataset:
    """The images and shapes of all JSON files of LabelMe in a folder, or of one file.

    A JSON file belongs to the image of its own name; imagePath decides only if there is none. Rectangles are boxes;
    polygons and circles get the box around them; points and lines are skipped.

    Raises:
        DataError: no such file, or no valid shape.
    """
    source = Source(path.absolute())
    files = labelme_files(source)
    if not files:
        raise DataError(f"{source.path}: contains no LabelMe JSON with shapes; save the annotations again")
    finder = ImageFinder(source.path if source.path.is_dir() else source.path.parent)
    reading = _Reading(finder, OwnImages(finder, files, "JSON", "imagePath"))
    for file in files:
        try:
            reading.add(file)
        except DataError as error:
            reading.skipped.append(Skipped(reading.finder.name(file), str(error).removeprefix(f"{file}: ")))
    return largest_objects(str(source.path), LABELME.name, reading.images, reading.skipped, reading.notes())


def labelme_files(source: Source) -> list[Path]:
    """The JSON files of a source with shapes and the path of an image."""
    return files_with(source, "shapes", "imagePath")


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    own: OwnImages
    images: list[AnnotatedImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    around: list[str] = field(default_factory=list)

    def add(self, file: Path) -> None:
        """Read one file.

        Raises:
            DataError: it is not JSON of LabelMe, or has no image.
        """
        content = read_json(file)
        if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
            raise DataError("not LabelMe JSON; it needs a list of shapes")
        path = self.own.find(file, text(content.get("imagePath")))
        image = AnnotatedImage(path, self.finder.name(path), self.finder.split(path))
        image.declared = extent(content.get("imageWidth"), content.get("imageHeight"))
        for shape in mappings(content["shapes"]):
            kind, box = text(shape.get("shape_type")) or "polygon", _box(shape)
            if box is None:
                image.problems.append(f"a shape is a {kind} without a box")
                continue
            image.objects.append((text(shape.get("label")), box))
            if kind not in _RECTANGLES:
                self.around.append(image.name)
        self.images.append(image)

    def notes(self) -> list[str]:
        """What was decided or skipped."""
        first = f"in {self.around[0]}" if self.around else ""
        around = examples(len(self.around), ("shape is", "shapes are"), ("not a rectangle", "not rectangles"), first)
        found = [f"{around}; the box around each is used"] if around else []
        return [*self.own.notes(), *found, *self.finder.unused_note(image.path for image in self.images)]


def _box(shape: Mapping[str, Any]) -> Box | None:
    """The box around a shape; None for points, lines and unknown shapes."""
    points = [reals(point) for point in shape.get("points") or () if isinstance(point, list)] if (
        isinstance(shape.get("points"), list)) else []  # fmt: skip
    if not points or any(len(point) != 2 for point in points):
        return None
    kind = shape.get("shape_type") or "polygon"
    if kind == "circle" and len(points) == 2:
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(x - edge_x, y - edge_y)
        return box_of_ellipse((x, y), (radius, radius))
    if kind in _RECTANGLES and len(points) != 2:
        return None
    if kind not in (*_RECTANGLES, *_AROUND):
        return None
    return box_of_points([point[0] for point in points], [point[1] for point in points])


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name):
        return None
    files = labelme_files(source)
    if not files:
        return None
    because = f"{len(files):,} JSON file{'s have' if len(files) > 1 else ' has'} shapes of LabelMe"
    if source.path.is_file():
        return Recognised(LABELME.name, 1.0, because)
    return Recognised(LABELME.name, confidence_of_share(len(files), source.images), because)


LABELME = Layout(
    "labelme",
    "a JSON file of LabelMe per image, with shapes",
    _recognise,
    lambda source, _settings: read_labelme(source.path),
)

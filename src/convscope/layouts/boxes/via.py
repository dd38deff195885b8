"""VGG Image Annotator (VIA), version 2: JSON with the regions of each image, of a project or exported annotations."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.annotated_size import Box
from convscope.datasets.targets.annotations import AnnotatedImage, examples, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError
from convscope.layouts.boxes.image_finder import ImageFinder, path_parts
from convscope.layouts.boxes.json_files import files_with, mappings, read_json, real, reals, text
from convscope.layouts.boxes.shapes import box_of_ellipse, box_of_points
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.layouts.split_lists import split_in_words

_NAMES = ("class", "label", "category", "name", "type", "object", "species")
_NO_CLASS = "object"


def read_via(path: Path, attribute: str | None = None) -> Dataset:
    """The images and regions of a JSON file, or of all such files in a folder.

    Rectangles are boxes; polygons, polylines, circles and ellipses get the box around them; points are skipped.

    Args:
        path: a JSON file or a folder.
        attribute: the region attribute that is the class; None: the only one, or one called class, label ...

    Raises:
        DataError: no such file, no valid region, or several attributes that may be the class.
    """
    source = Source(path.absolute())
    files = via_files(source)
    if not files:
        raise DataError(f"{source.path}: contains no VIA JSON with regions; export the annotations as JSON")
    reading = _Reading(ImageFinder(source.path if source.path.is_dir() else source.path.parent))
    read = [(file, _entries(read_json(file))) for file in files]
    reading.attribute = _class_attribute(source, [entry for _, found in read for entry in found], attribute)
    for file, entries in read:
        reading.add(file, entries, "" if source.path.is_file() else split_in_words(file.stem))
    return largest_objects(str(source.path), VIA.name, reading.images, reading.skipped, reading.notes())


def via_files(source: Source) -> list[Path]:
    """The JSON files of a source with regions of VIA."""
    return files_with(source, "regions", "filename", "shape_attributes")


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    attribute: str = ""
    images: list[AnnotatedImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    around: list[str] = field(default_factory=list)
    bare: list[Path] = field(default_factory=list)

    def add(self, file: Path, entries: list[Mapping[str, Any]], split: str) -> None:
        """Read the images of one file."""
        names = [_file_name(text(entry.get("filename"))) for entry in entries]
        listing = self.finder.listing(names)
        for name, entry in zip(names, entries, strict=True):
            found = self.finder.find(name, file.parent, split, listing)
            if isinstance(found, str):
                self.skipped.append(Skipped(name or "an image without filename", found))
                continue
            image = AnnotatedImage(found, self.finder.name(found), split or self.finder.split(found))
            for region in mappings(entry.get("regions")):
                self._add_region(image, region)
            self.images.append(image)
            if len(path_parts(name)) - listing.drop <= 1:
                self.bare.append(found)

    def _add_region(self, image: AnnotatedImage, region: Mapping[str, Any]) -> None:
        shape, attributes = region.get("shape_attributes"), region.get("region_attributes")
        box = _box(shape) if isinstance(shape, dict) else None
        label = _label(attributes, self.attribute) if self.attribute else _NO_CLASS
        if box is None:
            kind = text(shape.get("name")) if isinstance(shape, dict) else ""
            image.problems.append(f"a region is a {kind or 'shape without a name'}, which has no box")
        elif not label:
            image.problems.append(f"a region without one value of {self.attribute}")
        else:
            image.objects.append((label, box))
            if isinstance(shape, dict) and shape.get("name") != "rect":
                self.around.append(image.name)

    def notes(self) -> list[str]:
        """What was decided or skipped."""
        first = f"in {self.around[0]}" if self.around else ""
        drawn = ("region is", "regions are")
        note = examples(len(self.around), drawn, ("not a rectangle", "not rectangles"), first)
        found = [f"{note}; the box around each is used"] if note else []
        if self.attribute:
            found.append(f"the class of a region is its attribute {self.attribute}")
        used = [image.path for image in self.images]
        return [*found, *self.finder.folder_note(self.bare), *self.finder.unused_note(used)]


def _entries(content: Any) -> list[Mapping[str, Any]]:
    """The images of a project, or of exported annotations."""
    inside = content.get("_via_img_metadata", content) if isinstance(content, dict) else ()
    return [entry for entry in mappings(inside) if "regions" in entry]


def _file_name(name: str) -> str:
    """The path of an image; of an address, its path."""
    return unquote(urlsplit(name).path) if name.startswith(("http://", "https://", "file://")) else name


def _class_attribute(source: Source, entries: list[Mapping[str, Any]], wanted: str | None) -> str:
    """The region attribute that is the class; "" if regions have none.

    Raises:
        DataError: several attributes may be the class, or there is none of the wanted name.
    """
    regions = [region for entry in entries for region in mappings(entry.get("regions"))]
    count = Counter(str(name) for region in regions for name in _attributes(region))
    if wanted is not None and wanted not in count:
        known = ", ".join(sorted(count)) or "none"
        raise DataError(f"{source.path}: regions have no attribute {wanted}, only {known}; set the label column")
    likely = [name for word in _NAMES for name in count if name.lower() == word]
    if wanted is not None or len(count) < 2 or likely:
        return wanted or (likely or [*count, ""])[0]
    raise DataError(
        f"{source.path}: regions have the attributes {' and '.join(sorted(count))}; set the label column to the one "
        "that is the class"
    )


def _attributes(region: Mapping[str, Any]) -> Mapping[str, Any]:
    found = region.get("region_attributes")
    return found if isinstance(found, dict) else {}


def _label(attributes: Any, name: str) -> str:
    """The value of an attribute: a text, or the one option that is checked; "" if there is not exactly one."""
    value = attributes.get(name) if isinstance(attributes, dict) else None
    if isinstance(value, dict):
        checked = [option for option, state in value.items() if state is True or text(state).lower() in ("true", "1")]
        return text(checked[0]) if len(checked) == 1 else ""
    return text(value)


def _box(shape: Mapping[str, Any]) -> Box | None:
    """The box around a shape; None for points and unknown shapes."""
    kind = shape.get("name")
    x, y, width, height, cx, cy, r, rx, ry, theta = (
        real(shape.get(name)) for name in ("x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "theta")
    )
    if kind == "rect":
        return x, y, x + width, y + height
    if kind == "circle":
        return box_of_ellipse((cx, cy), (r, r))
    if kind == "ellipse":
        return box_of_ellipse((cx, cy), (rx, ry), theta if math.isfinite(theta) else 0.0)
    if kind in ("polygon", "polyline"):
        return box_of_points(reals(shape.get("all_points_x")), reals(shape.get("all_points_y")))
    return None


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name):
        return None
    files = via_files(source)
    if not files:
        return None
    because = f"{files[0].name} has regions of VIA"
    if source.path.is_file():
        return Recognised(VIA.name, 1.0, because)
    listed = sum(file.read_bytes().count(b'"filename"') for file in files)
    return Recognised(VIA.name, confidence_of_share(listed, source.images), because)


VIA = Layout(
    "via",
    "a JSON file of the VGG Image Annotator with regions",
    _recognise,
    lambda source, settings: read_via(source.path, settings.columns.label if settings.columns else None),
)

"""COCO: JSON files with images, categories, and annotations whose bbox is x, y, width, height in pixels."""

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.annotated_size import Box
from convscope.datasets.targets.annotations import AnnotatedImage, examples, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.datasets.targets.classes import CLASSES
from convscope.errors import DataError
from convscope.layouts.boxes.image_finder import ImageFinder, path_parts
from convscope.layouts.boxes.json_files import extent, files_with, mappings, read_json, reals, text
from convscope.layouts.boxes.run_lengths import box_of_run_lengths
from convscope.layouts.boxes.shapes import box_of_flat
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.layouts.split_lists import split_in_words

_KEYS = ("images", "annotations", "categories")
_PLACES = ("bbox", "segmentation")
_OTHER_TASKS = ("keypoints", "captions", "panoptic", "stuff")
"""Words in the names of files that describe the same images as the file `instances` beside them."""


def read_coco(path: Path) -> Dataset:
    """The images and boxes of a JSON file, or of all such files in a folder; the names of files and folders show the
    split, as in instances_val2017.json or valid/_annotations.coco.json.

    Where no annotation has a place in its image, as in iNaturalist's files, the categories are the classes of the
    images. Objects marked as crowds are omitted. An object without bbox gets the box around its polygons or its mask. A
    file that is listed several times has the objects of all entries.

    Raises:
        DataError: no COCO file, or no valid box.
    """
    source = Source(path.absolute())
    files = coco_files(source)
    if not files:
        raise DataError(f"{source.path}: contains no JSON with images, annotations and categories; export it as COCO")
    reading = _Reading(ImageFinder(_root(source.path)), alone=source.path.is_file())
    kept = [file for file in files if not _is_other_task(file, files)]
    for file in kept:
        try:
            reading.add(file)
        except DataError as error:
            if len(kept) == 1:
                raise
            reading.skipped.append(Skipped(reading.finder.name(file), str(error).removeprefix(f"{file}: ")))
    left = [file.name for file in files if file not in kept]
    if left:
        reading.notes.append(f"{' and '.join(left)} describe the same images for other tasks and are skipped")
    images = reading.specific_splits()
    if reading.labels and not reading.placed:
        return _image_classes(str(source.path), reading)
    return largest_objects(str(source.path), COCO.name, images, reading.skipped, reading.all_notes())


def coco_files(source: Source) -> list[Path]:
    """The JSON files of a source with images, annotations and categories."""
    return files_with(source, *_KEYS)


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    alone: bool
    """Whether DATA is one file, whose name then shows no split."""
    images: list[AnnotatedImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    crowds: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    bare: list[Path] = field(default_factory=list)
    """Images that are named without a folder."""
    labels: dict[Path, set[str]] = field(default_factory=dict)
    """The categories of all annotations of each image."""
    placed: bool = False
    """Whether an annotation has a box, polygons or a mask."""

    def add(self, file: Path) -> None:
        """Read one file.

        Raises:
            DataError: it is not COCO JSON.
        """
        content = read_json(file)
        if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in _KEYS):
            raise DataError(f"{file}: not COCO JSON; it needs lists of images, categories and annotations")
        labels = {key(entry.get("id")): _label(entry) for entry in mappings(content["categories"])}
        by_image = self._by_image(content, file)
        _check_sides(file, mappings(content["images"]), by_image)
        listed = mappings(content["images"])
        folders = self.finder.folders(file)
        split = "" if self.alone else split_in_words(file.stem) or self.finder.split(file)
        listing = self.finder.listing([text(entry.get("file_name")) for entry in listed])
        near = file.parent if folders and folders[-1] != "annotations" else None
        ids = [key(entry.get("id")) for entry in listed]
        repeated = _contradictory(ids, listed)
        for number, entry in zip(ids, listed, strict=True):
            name = text(entry.get("file_name"))
            found = self.finder.find(name, near, split, listing) if name else "no file_name"
            if isinstance(found, Path) and number in repeated:
                found = f"its id {number} is also that of another image"
            if isinstance(found, str):
                self.skipped.append(Skipped(name or f"image {number}", found))
                continue
            image = AnnotatedImage(found, self.finder.name(found), split or self.finder.split(found))
            image.declared = extent(entry.get("width"), entry.get("height"))
            self._add_objects(image, by_image.get(number, []), labels)
            self.images.append(image)
            if len(path_parts(name)) - listing.drop <= 1:
                self.bare.append(found)

    def _by_image(self, content: Mapping[str, Any], file: Path) -> dict[Hashable, list[Mapping[str, Any]]]:
        """The annotations of each image, except crowds and those of images that are not listed."""
        listed = {key(entry.get("id")) for entry in mappings(content["images"])}
        found = defaultdict(list)
        for entry in mappings(content["annotations"]):
            number = key(entry.get("image_id"))
            if entry.get("iscrowd") in (1, "1", True):
                self.crowds.append(f"annotation {text(entry.get('id'))} in {file.name}")
            elif number and number in listed:
                found[number].append(entry)
            else:
                self.lost.append(f"annotation {text(entry.get('id'))} in {file.name}, has image_id {number}")
        return found

    def _add_objects(
        self, image: AnnotatedImage, entries: list[Mapping[str, Any]], labels: Mapping[Hashable, str]
    ) -> None:
        for entry in entries:
            box, category = _box(entry), key(entry.get("category_id"))
            if category not in labels:
                image.problems.append(f"an object has category_id {category}, which is not among the categories")
                continue
            self.labels.setdefault(image.path, set()).add(labels[category])
            self.placed = self.placed or any(entry.get(name) for name in _PLACES)
            if box is None:
                image.problems.append("an object has no bbox of four numbers, polygons or mask")
            else:
                image.objects.append((labels[category], box))

    def specific_splits(self) -> list[AnnotatedImage]:
        """The images; where a file of all images lists one without a split, another file decides."""
        known = {image.path: image.split for image in self.images if image.split}
        for image in self.images:
            image.split = image.split or known.get(image.path, "")
        return self.images

    def all_notes(self) -> list[str]:
        """What was decided or skipped."""
        first = (self.crowds or [""])[0]
        crowd = ("object is", "objects are")
        notes = [
            examples(len(self.crowds), crowd, ("a crowd (iscrowd) and omitted", "crowds (iscrowd) and omitted"), first),
            examples(len(self.lost), ("annotation is", "annotations are"), ("of no listed image", "of no listed image"),
                     (self.lost or [""])[0]),
        ]  # fmt: skip
        used = [image.path for image in self.images]
        found = [*self.notes, *filter(None, notes), *self.finder.folder_note(self.bare)]
        return [*found, *self.finder.unused_note(used)]


def _names_places(file: Path) -> bool:
    content = file.read_bytes()
    return any(f'"{name}"'.encode() in content for name in _PLACES)


def _image_classes(source: str, reading: _Reading) -> Dataset:
    """The dataset of annotations without a place; images of several categories are skipped."""
    note = "no annotation has a box, polygons or a mask: the categories are the classes of the images"
    listing = DatasetBuilder(source, COCO.name, skipped=reading.skipped, notes=[note, *reading.all_notes()])
    for image in {image.path: image for image in reading.images}.values():
        labels = sorted(reading.labels.get(image.path, ()))
        if len(labels) == 1:
            listing.files.append(ListedFile(image.path, image.name, labels[0], image.split))
        else:
            why = f"has {len(labels)} categories, {' and '.join(labels)}; leave one" if labels else "has no annotation"
            listing.skipped.append(Skipped(image.name, why))
    return listing.build()


def key(value: Any) -> Hashable:
    """An id for comparison: 3 and "3" are equal; "" for anything that is neither a number nor a string."""
    return text(int(value)) if isinstance(value, float) and value.is_integer() else text(value)


def _label(entry: Mapping[str, Any]) -> str:
    name = text(entry.get("name")) or text(entry.get("supercategory"))
    return name or text(entry.get("id"))


def _box(entry: Mapping[str, Any]) -> Box | None:
    """The bbox of an annotation, else the box around its polygons or its mask; None if it has none of them."""
    sides = reals(entry.get("bbox"))
    if len(sides) == 4:
        x, y, width, height = sides
        return x, y, x + width, y + height
    polygons = entry.get("segmentation")
    if isinstance(polygons, dict):
        return box_of_run_lengths(polygons)
    points = [value for polygon in polygons for value in reals(polygon)[: len(reals(polygon)) // 2 * 2]] if (
        isinstance(polygons, list)) else []  # fmt: skip
    return box_of_flat(points) if points else None


def _check_sides(
    file: Path, listed: list[Mapping[str, Any]], by_image: Mapping[Hashable, list[Mapping[str, Any]]]
) -> None:
    """Check that each bbox has a width and a height, not a second corner, by the sizes of the images.

    Raises:
        DataError: many boxes extend beyond their image, and all are inside if they are read as two corners.
    """
    beyond = corners = total = 0
    for entry in listed:
        width, height = extent(entry.get("width"), entry.get("height")) or (math.nan, math.nan)
        boxes = [reals(found.get("bbox")) for found in by_image.get(key(entry.get("id")), [])]
        for x, y, right, bottom in (box for box in boxes if len(box) == 4):
            total += 1
            beyond += x + right > width + 1 or y + bottom > height + 1
            corners += x < right <= width + 1 and y < bottom <= height + 1
    if beyond >= max(3, total / 3) and corners == total:
        raise DataError(
            f"{file}: {beyond:,} of {total:,} boxes extend beyond their image, as if bbox were x1, y1, x2, y2; "
            "COCO has x, y, width, height; convert them"
        )


def _contradictory(ids: list[Hashable], listed: list[Mapping[str, Any]]) -> set[Hashable]:
    """Ids that stand for several files."""
    names = defaultdict(set)
    for number, entry in zip(ids, listed, strict=True):
        names[number].add(text(entry.get("file_name")))
    return {number for number, found in names.items() if len(found) > 1}


def _is_other_task(file: Path, files: list[Path]) -> bool:
    others = any(word in file.stem for word in _OTHER_TASKS)
    return others and any("instances" in other.stem for other in files)


def _root(path: Path) -> Path:
    """The folder of the images: that of a JSON file, or the one above annotations/."""
    folder = path if path.is_dir() else path.parent
    return folder.parent if folder.name == "annotations" else folder


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name, CLASSES.name):
        return None
    files = coco_files(source)
    if settings.target_kind == CLASSES.name:
        files = [file for file in files if not _names_places(file)]
    if not files:
        return None
    because = f"{files[0].name} has images, annotations and categories"
    if source.path.is_file():
        return Recognised(COCO.name, 1.0, because)
    listed = sum(file.read_bytes().count(b'"file_name"') for file in files)
    return Recognised(COCO.name, confidence_of_share(listed, source.images), f"{because} and lists {listed:,} images")


COCO = Layout(
    "coco",
    "a JSON file with images, categories and annotations",
    _recognise,
    lambda source, _settings: read_coco(source.path),
)

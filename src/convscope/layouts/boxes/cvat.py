"""CVAT for images 1.1: one XML file with all images and their boxes, polygons, polylines, ellipses and masks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.targets.annotated_size import Box
from convscope.datasets.targets.annotations import AnnotatedImage, examples, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError
from convscope.files import read_start
from convscope.layouts.boxes.image_finder import ImageFinder, path_parts
from convscope.layouts.boxes.shapes import box_of_ellipse, box_of_flat, box_of_rotated
from convscope.layouts.boxes.voc_xml import number, parse_xml
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share

LARGEST = 50_000_000  # bytes of a file; an image with five boxes has about 1,000
_HEAD = 1_000_000  # bytes; labels and jobs come before the first image
_SHAPES = ("box", "polygon", "polyline", "ellipse", "mask", "points", "cuboid", "skeleton")


def read_cvat(path: Path) -> Dataset:
    """The images and shapes of an XML file, or of all such files in a folder.

    Boxes may be rotated around their centre; rotated boxes and other shapes get the box around them. The split is the
    `subset` of an image, else that of its folders.

    Raises:
        DataError: no such file, tracks of a video, or no valid box.
    """
    source = Source(path.absolute())
    files = cvat_files(source)
    if not files:
        raise DataError(f"{source.path}: contains no XML of CVAT; export it as CVAT for images 1.1")
    reading = _Reading(ImageFinder(source.path if source.path.is_dir() else source.path.parent))
    for file in files:
        reading.add(file)
    return largest_objects(str(source.path), CVAT.name, reading.images, reading.skipped, reading.notes())


def cvat_files(source: Source) -> list[Path]:
    """The XML files of a source that CVAT exported."""
    files = source.files(".xml") if source.path.is_dir() else [source.path]
    return [file for file in files if file.suffix.lower() == ".xml" and _looks_like_cvat(file)]


def _looks_like_cvat(file: Path) -> bool:
    try:
        start = read_start(file, _HEAD).replace(b"\0", b"")
    except OSError:
        return False
    return b"<annotations" in start and (b"<image " in start or b"<track " in start)


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    images: list[AnnotatedImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    around: list[str] = field(default_factory=list)
    bare: list[Path] = field(default_factory=list)
    """Images that are named without a folder."""

    def add(self, file: Path) -> None:
        """Read one file.

        Raises:
            DataError: it is not XML of CVAT for images.
        """
        try:
            root = parse_xml(read_start(file, LARGEST + 1), LARGEST)
        except OSError as error:
            raise DataError(f"{file}: cannot be read ({error.strerror}); check the file") from None
        except DataError as error:
            raise DataError(f"{file}: {error}; export it again") from None
        if root.find("track") is not None:
            raise DataError(f"{file}: has the tracks of a video; export it as CVAT for images 1.1, with the frames")
        entries = root.findall("image")
        names = [entry.get("name") or "" for entry in entries]
        listing = self.finder.listing(names)
        for name, entry in zip(names, entries, strict=True):
            found = self.finder.find(name, file.parent, listing=listing)
            if isinstance(found, str):
                self.skipped.append(Skipped(name or "an image without a name", found))
                continue
            self.images.append(self._image(found, entry))
            if len(path_parts(name)) - listing.drop <= 1:
                self.bare.append(found)

    def _image(self, path: Path, entry: Element) -> AnnotatedImage:
        name, split = self.finder.name(path), split_of(entry.get("subset") or "")
        image = AnnotatedImage(path, name, split or self.finder.split(path))
        width, height = _numbers(entry, "width", "height")
        image.declared = (width, height) if width > 0 and height > 0 else None
        for shape in entry:
            if shape.tag not in _SHAPES:
                continue
            box = _box(shape)
            if box is None:
                image.problems.append(f"a shape of type {shape.tag} has no box")
                continue
            image.objects.append(((shape.get("label") or "").strip(), box))
            if shape.tag != "box" or _angle(shape):
                self.around.append(name)
        return image

    def notes(self) -> list[str]:
        """What was decided or skipped."""
        first = f"in {self.around[0]}" if self.around else ""
        nouns, are = ("shape is", "shapes are"), ("not an upright rectangle", "not upright rectangles")
        around = examples(len(self.around), nouns, are, first)
        found = [f"{around}; the box around each is used"] if around else []
        used = [image.path for image in self.images]
        return [*found, *self.finder.folder_note(self.bare), *self.finder.unused_note(used)]


def _box(shape: Element) -> Box | None:
    """The box around a shape; None for points, cuboids and skeletons, which have none."""
    if shape.tag == "box":
        return _rotated(_numbers(shape, "xtl", "ytl", "xbr", "ybr"), _angle(shape))
    if shape.tag in ("polygon", "polyline"):
        points = (shape.get("points") or "").replace(";", ",").split(",")
        return box_of_flat([_number(value) for value in points])
    if shape.tag == "ellipse":
        x, y, across, down = _numbers(shape, "cx", "cy", "rx", "ry")
        return box_of_ellipse((x, y), (across, down), _angle(shape))
    if shape.tag == "mask":
        left, top, width, height = _numbers(shape, "left", "top", "width", "height")
        return left, top, left + width, top + height
    return None


def _rotated(corners: Sequence[float], angle: float) -> Box:
    """The box around a rectangle that is rotated around its centre."""
    x1, y1, x2, y2 = corners
    if not angle:
        return x1, y1, x2, y2
    x, y, width, height = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
    cos, sin = math.cos(angle), math.sin(angle)
    corner = x - (width * cos - height * sin) / 2, y - (width * sin + height * cos) / 2
    return box_of_rotated(corner, (width, height), angle)


def _angle(shape: Element) -> float:
    """The clockwise rotation of a shape, in radians."""
    angle = _number(shape.get("rotation") or "0")
    return math.radians(angle) if math.isfinite(angle) else math.nan


def _number(value: str) -> float:
    found = number(value)
    return math.nan if found is None else found


def _numbers(element: Element, *names: str) -> list[float]:
    return [_number(element.get(name) or "") for name in names]


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name):
        return None
    files = cvat_files(source)
    if not files:
        return None
    because = f"{files[0].name} is an export of CVAT"
    if source.path.is_file():
        return Recognised(CVAT.name, 1.0, because)
    listed = sum(read_start(file, LARGEST).count(b"<image ") for file in files)
    return Recognised(CVAT.name, confidence_of_share(listed, source.images), f"{because} and lists {listed:,} images")


CVAT = Layout(
    "cvat", "an XML file exported by CVAT for images", _recognise, lambda source, _settings: read_cvat(source.path)
)

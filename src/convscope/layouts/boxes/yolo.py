"""YOLO: a text file per image, a line per object: class, centre x and y, width, height, as shares of the image."""

from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.listing import ending
from convscope.datasets.targets.annotations import AnnotatedImage, examples, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError
from convscope.files import read_start
from convscope.layouts.boxes.image_finder import ImageFinder
from convscope.layouts.boxes.yolo_config import YoloConfig, find_config, read_yaml
from convscope.layouts.boxes.yolo_files import LabelFiles
from convscope.layouts.boxes.yolo_labels import is_label_line, read_labels
from convscope.layouts.boxes.yolo_splits import YoloSplits, assign_splits
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share

_CONFIGS = (".yaml", ".yml", ".data", ".names", ".txt")
_HEAD = 65_536  # bytes of a label file that are read for it
_SAMPLE = 50  # label files that are opened to recognise the layout


def read_yolo(path: Path) -> Dataset:
    """Images and the boxes of their label files: in labels/ where the image is in images/, or beside the image.

    Class names and splits are read from data.yaml, obj.data, classes.txt, or train.txt and val.txt; else the split from
    folders train and val. Polygons and rotated boxes get the box around them. Boxes are shares of the upright image, as
    annotation tools show it.

    Args:
        path: a folder, or its YAML file.

    Raises:
        DataError: the YAML file is invalid, or no image has a valid box.
    """
    source, config = _opened(path.absolute())
    reading = _Reading(ImageFinder(source.path), config)
    labels = LabelFiles(source, reading.finder)
    splits = assign_splits(config, reading.finder)
    for image in reading.finder.files:
        why = splits.skipped.get(image)
        if why:
            reading.skipped.append(Skipped(reading.finder.name(image), why))
        else:
            reading.add(image, labels.of(image), splits.split.get(image, ""))
    notes = [*reading.notes(splits), *labels.notes()]
    return largest_objects(str(path.absolute()), YOLO.name, reading.images, reading.skipped, notes)


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    config: YoloConfig
    images: list[AnnotatedImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    polygons: list[str] = field(default_factory=list)
    scores: list[str] = field(default_factory=list)
    kinds: set[int] = field(default_factory=set)

    def add(self, path: Path, label: Path | str, split: str) -> None:
        """Read the label file of one image; `label` may be the reason why it has none."""
        image = AnnotatedImage(path, self.finder.name(path), split, shares=True)
        if isinstance(label, str):
            image.without = label
        else:
            found = read_labels(label, self.config.names, self.config.keypoints)
            image.objects = [(self.config.names.get(kind, str(kind)), box) for kind, box in found.objects]
            image.problems, image.without = found.problems, f"its label file {label.name} is empty"
            self.polygons += [image.name] * found.polygons
            self.scores += [image.name] * found.scores
            self.kinds |= found.kinds
        self.images.append(image)

    def notes(self, splits: YoloSplits) -> list[str]:
        """What was decided or skipped."""
        around, score = (f"in {names[0]}" if names else "" for names in (self.polygons, self.scores))
        shapes = examples(
            len(self.polygons), ("object is", "objects are"),
            ("a polygon or rotated box", "polygons or rotated boxes"), around,
        )  # fmt: skip
        sixth = examples(len(self.scores), ("line has", "lines have"), ("a sixth number", "a sixth number"), score)
        found = [*self.config.notes, *splits.notes]
        found += [f"{shapes}; the box around each is used"] if shapes else []
        found += [f"{sixth}; it is taken for a confidence and ignored"] if sixth else []
        if self.config.names and self.kinds and min(self.kinds) == 1 and max(self.kinds) == len(self.config.names):
            found.append(
                "the classes in the label files seem to count from 1; YOLO counts from 0, so the names are wrong"
            )
        if not self.config.names:
            found.append("there are no class names, so classes are called by their numbers; add data.yaml with names")
        return found


def _opened(path: Path) -> tuple[Source, YoloConfig]:
    """The data folder and its configuration, for a folder or a YAML file."""
    root, file = (path, None) if path.is_dir() else (path.parent, path)
    if file is not None:
        content = read_yaml(file)
        given = content.get("path") if isinstance(content, dict) else None
        base = (file.parent / given) if isinstance(given, str) and given and "\0" not in given else file.parent
        if not isinstance(content, dict) or "names" not in content:
            raise DataError(f"{file}: has no class names; write names: [cat, dog]")
        root = base if base.is_dir() and not root.is_relative_to(base) else root
    source = Source(root)
    texts = [text for text in source.files(*_CONFIGS) if _may_configure(text)]
    return source, find_config(root, texts, file)


def _may_configure(file: Path) -> bool:
    return ending(file.name) != ".txt" or file.stem in (
        "train",
        "val",
        "valid",
        "validation",
        "test",
        "classes",
        "labels",
    )


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name):
        return None
    if source.path.is_file():
        known = ending(source.path.name) in (".yaml", ".yml")
        return Recognised(YOLO.name, 1.0, "it is a YAML file") if known else None
    if not source.files(".txt"):
        return None
    finder = ImageFinder(source.path)
    labels = LabelFiles(Source(source.path.absolute()), finder)
    pairs = [label for label in map(labels.of, finder.files) if isinstance(label, Path)]
    sample = pairs[:: max(1, len(pairs) // _SAMPLE)]
    lines = [line for line in map(_first_line, sample) if line]
    if not lines or 2 * sum(map(is_label_line, lines)) < len(lines):
        return None
    because = f"{len(pairs):,} of {source.images:,} images have a text file of class, x, y, width and height"
    return Recognised(YOLO.name, confidence_of_share(len(pairs), source.images), because)


def _first_line(file: Path) -> str:
    try:
        lines = read_start(file, _HEAD).decode("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.strip()), "")


YOLO = Layout(
    "yolo",
    "a text file of class, x, y, width and height per image, in a folder labels or beside the image",
    _recognise,
    lambda source, _settings: read_yolo(source.path),
)

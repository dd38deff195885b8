"""Label Studio: JSON as exported in full or as JSON-MIN, with rectangles in per cent of the image, or choices."""

from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.annotations import AnnotatedImage, examples, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.datasets.targets.classes import CLASSES
from convscope.errors import DataError
from convscope.layouts.boxes.image_finder import ImageFinder
from convscope.layouts.boxes.json_files import files_with, read_json
from convscope.layouts.boxes.label_studio_json import SHAPES_WITH_BOX, LabelStudioTask, local_names, tasks_of
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.layouts.split_lists import split_in_words


def read_label_studio(path: Path, target_kind: str | None = None) -> Dataset:
    """The images of a JSON file, or of all such files in a folder, with their boxes or, if there are only choices,
    their classes.

    Rectangles are boxes; rotated ones, polygons and ellipses get the box around them. Of several annotations of a task
    the first that was not cancelled is used.

    Args:
        path: a JSON file or a folder.
        target_kind: the requested kind of target; None: boxes if there are any.

    Raises:
        DataError: no such file, no image of it, or no annotation.
    """
    source = Source(path.absolute())
    files = label_studio_files(source)
    if not files:
        raise DataError(f"{source.path}: contains no JSON of Label Studio; export it as JSON or JSON-MIN")
    reading = _Reading(ImageFinder(source.path if source.path.is_dir() else source.path.parent))
    for file in files:
        reading.add(file, "" if source.path.is_file() else split_in_words(file.stem))
    boxes = any(task.objects or task.problems for task, _, _ in reading.found)
    chosen = any(task.choices for task, _, _ in reading.found)
    if target_kind == CLASSES.name or (target_kind is None and chosen and not boxes):
        return _classes(str(source.path), reading)
    images = [_annotated(task, image, reading.finder, split) for task, image, split in reading.found]
    return largest_objects(str(source.path), LABEL_STUDIO.name, images, reading.skipped, reading.notes())


def label_studio_files(source: Source) -> list[Path]:
    """The JSON files of a source that Label Studio exported, in full or in short."""
    full = files_with(source, "annotations", "result", "data")
    if full:
        return full
    keys = [("annotation_id", "annotator"), *(("original_width", shape) for shape in SHAPES_WITH_BOX)]
    return next((found for some in keys if (found := files_with(source, *some))), [])


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    found: list[tuple[LabelStudioTask, Path, str]] = field(default_factory=list)
    """Tasks, their images and splits."""
    skipped: list[Skipped] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)

    def add(self, file: Path, split: str) -> None:
        """Read the tasks of one file.

        Raises:
            DataError: it is not JSON of Label Studio.
        """
        for task in tasks_of(read_json(file), file):
            names = local_names(task.image)
            images = [self.finder.find(name, file.parent, split) for name in names]
            image = next((image for image in images if isinstance(image, Path)), None)
            if image is None:
                self.skipped.append(Skipped(task.image or "a task without an image", str((images or ["no image"])[0])))
                continue
            if image.name != names[0].rpartition("/")[2]:
                self.renamed.append(f"{names[0]} is {self.finder.name(image)}")
            self.found.append((task, image, split or self.finder.split(image)))

    def notes(self) -> list[str]:
        """What was decided or skipped."""
        notes = [
            examples(len(self.renamed), ("image is", "images are"), (
                "found by its name before it was uploaded", "found by their names before they were uploaded"
            ), (self.renamed or [""])[0]),
            *(self._task_note(field, text) for field, text in _TASK_NOTES.items()),
        ]  # fmt: skip
        return [*filter(None, notes), *self.finder.unused_note(image for _, image, _ in self.found)]

    def _task_note(self, name: str, text: str) -> str:
        found = [self.finder.name(image) for task, image, _ in self.found if getattr(task, name)]
        first = found[0] if found else ""
        note = examples(len(found), ("image has", "images have"), (text.partition(";")[0],) * 2, first)
        return note and f"{note};{text.partition(';')[2]}"


_TASK_NOTES = {
    "around": "polygons, ellipses or rotated rectangles; the box around each is used",
    "several": "several annotations; the first that was not cancelled is used",
}


def _annotated(task: LabelStudioTask, path: Path, finder: ImageFinder, split: str) -> AnnotatedImage:
    image = AnnotatedImage(path, finder.name(path), split, list(task.objects), problems=list(task.problems))
    image.declared, image.shares = task.declared, True
    return image


def _classes(source: str, reading: _Reading) -> Dataset:
    """The dataset of the images with one choice."""
    listing = DatasetBuilder(source, LABEL_STUDIO.name, skipped=reading.skipped, notes=reading.notes())
    by_image: dict[Path, list[ListedFile]] = {}
    for task, image, split in reading.found:
        name = reading.finder.name(image)
        for label in task.choices or [""]:
            by_image.setdefault(image, []).append(ListedFile(image, name, label, split))
    for same in by_image.values():
        labels = sorted({listed.label for listed in same if listed.label})
        if len(labels) == 1:
            listing.files.append(next(listed for listed in same if listed.label))
        else:
            why = f"has the choices {' and '.join(labels)}" if labels else "has no choice"
            listing.skipped.append(Skipped(same[0].name, why))
    if not listing.files:
        first = f"; the first, {listing.skipped[0].name}: {listing.skipped[0].why}" if listing.skipped else ""
        raise DataError(f"{source}: no image with one choice{first}")
    return listing.build()


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name, CLASSES.name):
        return None
    files = label_studio_files(source)
    if not files:
        return None
    because = f"{files[0].name} is an export of Label Studio"
    if source.path.is_file():
        return Recognised(LABEL_STUDIO.name, 1.0, because)
    listed = sum(file.read_bytes().count(b'"updated_at"') for file in files)
    return Recognised(LABEL_STUDIO.name, confidence_of_share(max(listed, 1), source.images), because)


LABEL_STUDIO = Layout(
    "label-studio",
    "a JSON file exported by Label Studio",
    _recognise,
    lambda source, settings: read_label_studio(source.path, settings.target_kind),
)

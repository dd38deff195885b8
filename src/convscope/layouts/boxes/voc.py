"""Pascal VOC: one XML file per image, with the image's name and size and its objects' boxes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.targets.annotations import AnnotatedImage, largest_objects
from convscope.datasets.targets.boxes import BOXES
from convscope.errors import DataError
from convscope.files import read_start
from convscope.layouts.boxes.image_finder import ImageFinder, path_parts
from convscope.layouts.boxes.own_image import OwnImages
from convscope.layouts.boxes.voc_xml import LARGEST, looks_like_voc, read_annotation
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.layouts.split_lists import listed_names

_SIDE_FILE = ".aux.xml"  # written by GDAL beside an image


def read_voc(path: Path) -> Dataset:
    """Images with the boxes of their XML files; the split is read from ImageSets/Main or ImageSets, else from folders
    train, valid and test.

    An XML file belongs to the image of its own name; `<filename>` decides only if there is none. Coordinates are pixels
    of the image of `<size>`, which shows whether a photograph was annotated before its EXIF orientation was applied.
    VOC counts from 1, most tools from 0; the difference of one pixel is ignored.

    Raises:
        DataError: there is no valid annotation.
    """
    source = Source(path.absolute())
    finder = ImageFinder(source.path)
    files = [file for file in _xml_files(source) if looks_like_voc(file)]
    reading = _Reading(finder, OwnImages(finder, files, "XML", "<filename>"))
    for file in files:
        reading.add(file)
    reading.assign_splits(folder for folder, _ in source.folders if folder.name == "ImageSets")
    used = [image.path for image in reading.images]
    notes = [*reading.own.notes(), *finder.unused_note(used)]
    return largest_objects(str(finder.root), VOC.name, reading.images, reading.skipped, notes)


@dataclass
class _Reading:
    """The state of reading one data folder."""

    finder: ImageFinder
    own: OwnImages
    images: list[AnnotatedImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, file: Path) -> None:
        """Read one XML file."""
        name = self.finder.name(file)
        try:
            annotation = read_annotation(read_start(file, LARGEST + 1))
            image = self.own.find(file, annotation.file_name)
        except DataError as error:
            self.skipped.append(Skipped(name, str(error)))
            return
        except OSError as error:
            self.skipped.append(Skipped(name, f"cannot be read ({error.strerror})"))
            return
        objects, problems = annotation.objects, annotation.problems
        found = AnnotatedImage(image, self.finder.name(image), self.finder.split(image), objects, problems=problems)
        found.declared = annotation.declared
        self.images.append(found)

    def assign_splits(self, folders: Iterable[Path]) -> None:
        """Assign the splits of the lists in folders ImageSets, each for the images beside it."""
        for folder in folders:
            splits = _splits([folder, folder / "Main"])
            for image in self.images if splits else ():
                found = splits.get(image.path.stem, set()) if image.path.is_relative_to(folder.parent) else set()
                if len(found) > 1:
                    self.skipped.append(Skipped(image.name, f"is listed in {' and in '.join(sorted(found))}"))
                image.split = next(iter(found), image.split)
        conflicts = {skipped.name for skipped in self.skipped}
        self.images = [image for image in self.images if image.name not in conflicts]


def _splits(folders: Iterable[Path]) -> dict[str, set[str]]:
    """Image's stem -> the splits whose lists contain it; trainval is used if there is no train."""
    found: dict[str, set[str]] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.txt"))):
        alone = file.stem == "trainval" and not (file.with_name("train.txt")).is_file()
        split = "train" if alone else split_of(file.stem)
        for line in listed_names(file) if split else ():
            found.setdefault(_stem(line.split()[0]), set()).add(split or "")
    return found


def _stem(name: str) -> str:
    last = path_parts(name)[-1:]
    return Path(last[0]).stem if last and Path(last[0]).suffix.lower() in (".jpg", ".jpeg", ".png") else "".join(last)


def _xml_files(source: Source) -> list[Path]:
    return [file for file in source.files(".xml") if not file.name.lower().endswith(_SIDE_FILE)]


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if settings.target_kind not in (None, BOXES.name):
        return None
    count = sum(looks_like_voc(file) for file in _xml_files(source))
    if not count:
        return None
    because = f"it contains {count:,} XML annotations beside {source.images:,} images"
    return Recognised(VOC.name, confidence_of_share(count, source.images), because)


VOC = Layout(
    "voc", "an XML file with <annotation> per image", _recognise, lambda source, _settings: read_voc(source.path)
)

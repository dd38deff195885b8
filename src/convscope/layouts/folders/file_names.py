"""Classes in file names: cat.0.jpg, dog.17.jpg, in one folder or in one per split."""

import re

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import comparable, ending, stem
from convscope.datasets.targets.classes import CLASSES
from convscope.errors import DataError
from convscope.layouts.folders.folder_tree import Folder
from convscope.layouts.folders.set_names import UNLABELLED, set_names
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.printable import encodable

_DOTTED = re.compile(r"(?P<label>.*[^\W\d_].*?)\.\d+")
_SEPARATED = re.compile(r"(?P<label>.*[^\W\d_].*?)[-._ ]*\(?\d+\)?")
_FOLDERS = 4  # at most so many folders of images are splits


def named_classes(source: Source, pattern: re.Pattern[str] = _DOTTED) -> dict[str, list[tuple[str, str]]]:
    """Folder, relative and with /, -> (file name, class) of its images, for folders in which all names have a class."""
    found: dict[str, list[tuple[str, str]]] = {}
    for place, names in source.folders:
        images = [name for name in names if ending(name) in ENDINGS]
        matches = [pattern.fullmatch(stem(name)) for name in images]
        if images and all(matches):
            labels = [comparable(match["label"]) for match in matches if match]
            found[place.relative_to(source.path).as_posix()] = list(zip(images, labels, strict=True))
    return found


def read_file_names(source: Source, file_kind: str = "") -> Dataset:
    """Images whose names are CLASS.NUMBER, and also CLASS_NUMBER and the like if no name is CLASS.NUMBER.

    Folders named like splits are the split; folders with other file names have no labels and are skipped.

    Raises:
        DataError: no name has a class, or all have the same one.
    """
    named = named_classes(source) or named_classes(source, _SEPARATED)
    listing = DatasetBuilder(
        str(source.path.absolute()), FILE_NAMES.name, skipped=list(source.unusable), file_kind=file_kind
    )
    splits = _splits(source, named)
    for place, names in source.folders:
        folder = place.relative_to(source.path).as_posix()
        prefix = "" if folder == "." else f"{folder}/"
        if folder in named:
            listing.files += [
                ListedFile(place / name, encodable(f"{prefix}{name}"), label, splits.get(folder, ""))
                for name, label in named[folder]
            ]
        else:
            unnamed = (encodable(f"{prefix}{name}") for name in names if ending(name) in ENDINGS)
            listing.skipped += [Skipped(name, "has no class in its name, as in cat.0.jpg") for name in unnamed]
    if not listing.files:
        raise DataError(
            f"{listing.source}: no image has a class and a number as its name, as in cat.0.jpg; rename them"
        )
    first = min(listing.files, key=lambda listed: listed.name)
    listing.notes.append(f"classes are read from the names of the files: {first.name} is {first.label}")
    return listing.build()


def _splits(source: Source, named: dict[str, list[tuple[str, str]]]) -> dict[str, str]:
    """Folder with classes in its names -> split, if all folders of images are splits."""
    folders = [one for _, one in _of_images(source.tree)]
    sets = set_names(one.name for one in folders) if source.tree not in folders else {}
    return {path: sets[one.name] for path, one in _of_images(source.tree) if path in named and one.name in sets}


def _of_images(tree: Folder) -> list[tuple[str, Folder]]:
    return [("/".join(parts) or ".", one) for parts, one in tree.walk() if one.images]


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    """Names CLASS.NUMBER of several classes in one folder, or in folders that are splits; others only if requested."""
    requested = settings.layout == FILE_NAMES.name
    if settings.target_kind not in (None, CLASSES.name) or not source.images:
        return None
    named = named_classes(source) or (named_classes(source, _SEPARATED) if requested else {})
    names = [(name, label) for files in named.values() for name, label in files]
    if len({label for _, label in names}) < 2:
        return None
    folders = _of_images(source.tree)
    splits = _splits(source, named)
    if not requested and (len(folders) > _FOLDERS or (len(folders) > 1 and not splits)):
        return None
    if UNLABELLED in splits.values() or (splits and "train" not in splits.values()):
        return None
    because = f"the names of {len(names):,} of {source.images:,} images are a class and a number, such as {names[0][0]}"
    return Recognised(FILE_NAMES.name, 0.7, encodable(because))


FILE_NAMES = Layout(
    "file-names",
    "images whose names are a class and a number, such as cat.0.jpg",
    _recognise,
    lambda source, settings: read_file_names(source, settings.file_kind),
)

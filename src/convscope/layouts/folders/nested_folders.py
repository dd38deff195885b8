"""Class folders inside other folders that are no classes: folds, sites, years, or data beside examples."""

import re

from convscope.datasets.dataset import Dataset, split_of
from convscope.errors import DataError
from convscope.layouts.folders.class_folders import because_of, read_class_folders
from convscope.layouts.folders.class_reading import (
    Branch,
    ClassReading,
    Parts,
    class_names,
    read_classes,
)
from convscope.layouts.folders.folder_tree import Folder
from convscope.layouts.folders.set_names import is_aside, is_container, joined, words
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source

_PART = re.compile(r"(fold|part|batch|chunk|shard|subset|split)s?[-_ ]?\d+", re.IGNORECASE)
_NO_CLASSES = frozenset(("masks", "mask", "labels", "label", "annotations", "annotation", "gt", "groundtruth"))


def nested_reading(source: Source) -> ClassReading | None:
    """The reading whose classes are one level below those of the layout folder; None if there are no folders there."""
    place, folder = _class_level(source)
    holding = [one for one in folder.filled if one.filled]
    if place is None or not holding:
        return None
    branches = {(*place, one.name): Branch(split_of(one.name) or "") for one in holding if one.has_classes}
    names = joined("/".join(path) for path in branches)
    return ClassReading(branches, outside=f"is outside the folders {names}") if branches else None


def why_nested(source: Source) -> str:
    """Why the classes may as well be one level further down; empty if nothing suggests it."""
    place, folder = _class_level(source)
    if place is None or len(folder.filled) < 2:
        return ""
    holding = [one for one in folder.filled if one.has_classes and len(one.filled) > 1]
    others = [one for one in folder.filled if one not in holding]
    if len(holding) == 1 and not any(one.has_classes for one in others):
        return _only_one_holds(holding[0], others)
    if not others and _same_names(holding):
        return f"its subfolders {joined(one.name for one in holding[:3])} contain folders of the same names"
    return ""


def _class_level(source: Source) -> tuple[Parts | None, Folder]:
    """The folder whose subfolders are classes in the layout folder, and its path; None if there are several."""
    reading = read_classes(source.tree)
    (path, branch), *more = reading.branches.items()
    if more or branch.label or branch.split or reading.inside:
        return None, source.tree
    folder = source.tree
    for part in path:
        folder = folder.subfolders[part]
    return path, folder


def _only_one_holds(folder: Folder, others: list[Folder]) -> str:
    """A folder of folders beside folders of images: a class of several parts, or the data beside something else."""
    if split_of(folder.name) or is_container(folder.name) or any(is_aside(one.name) for one in others):
        names = joined(one.name for one in others[:3])
        return f"only {folder.name}, not {names}, contains folders with images"
    return ""


def _same_names(folders: list[Folder]) -> bool:
    """Whether the folders contain subfolders of mostly the same names, so that these rather are the classes.

    Numbers may count parts of a class, as in cat/1, cat/2, dog/1: they have to agree in all folders.
    """
    if len(folders) < 2:
        return False
    names = [one.names() for one in folders]
    every = set[str]().union(*names)
    shared = {name for name in every if sum(name in some for some in names) > 1}
    if all(is_container(name) or _NO_CLASSES & set(words(name)) for name in shared):
        return False
    if all(name.isdigit() for name in every):
        return all(some == every for some in names)
    return len(shared) > 1 and 2 * len(shared) >= len(every)


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    """Folders of the same subfolders, with confidence if they are called parts or folds; else as likely as classes."""
    if not source.folders:
        return None
    why = why_nested(source)
    reading = nested_reading(source) if why or settings.layout == NESTED_FOLDERS.name else None
    if reading is None:
        return None
    parts = all(_PART.fullmatch(path[-1]) for path in reading.branches)
    classes = because_of(class_names(source.tree, reading), reading)
    because = f"{why}, so the classes are the {classes}" if why else f"it contains the {classes}"
    return Recognised(NESTED_FOLDERS.name, 0.65 if why and parts else 0.5, because)


def _read(source: Source, settings: ReadSettings) -> Dataset:
    reading = nested_reading(source)
    if reading is None:
        raise DataError(f"{source}: no folders inside its subfolders; leave out --layout {NESTED_FOLDERS.name}")
    return read_class_folders(source, reading, NESTED_FOLDERS.name, settings.target_kind, settings.file_kind)


NESTED_FOLDERS = Layout(
    "nested-folders", "folders whose subfolders are classes, such as fold1/cat and fold2/cat", _recognise, _read
)

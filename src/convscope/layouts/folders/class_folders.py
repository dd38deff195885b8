"""Class folders: one subfolder per class, optionally under train/, validation/ and test/."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import SPLITS, Dataset, Skipped, split_of
from convscope.datasets.file_kinds import ENDINGS, most_frequent_kind
from convscope.datasets.inputs.volume_files import VOLUME
from convscope.datasets.listing import comparable, ending
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.labels import LABELS
from convscope.errors import DataError
from convscope.layouts.class_names import named_classes
from convscope.layouts.folders.class_reading import (
    ClassReading,
    class_names,
    folds_of_sets,
    read_classes,
)
from convscope.layouts.folders.listed_labels import with_listed_labels
from convscope.layouts.folders.multilabel_folder import are_labels, by_identity, with_labels, without_conflicts
from convscope.layouts.folders.other_files import remedy_for_formats, unread_labels
from convscope.layouts.folders.set_names import enumerated, joined, set_names
from convscope.layouts.folders.split_files import with_listed_splits
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.masks.as_classes import MOST_FOLDERS, images_and_masks
from convscope.layouts.masks.folder_roles import role_of
from convscope.layouts.masks.pairs import masks_of_folder
from convscope.printable import encodable

_NUMBERED = re.compile(r"(.*[^\W\d_])[-._ ]*\(?\d+\)?")
_IMAGES_AND_MASKS = re.compile(r"(images?|labels?|masks?)(tr|ts|train|test)?", re.IGNORECASE)
_SHOWN = 3  # names of class folders in a reason


def read_folder(path: Path, target_kind: str | None = None) -> Dataset:
    """The images below a folder, each labelled with the name of its class folder, at any depth.

    If many files are in several of them, by links, or if `target_kind` is "labels", folders are labels.

    If the folder contains a folder train with class folders, then train, validation (or val, valid, dev) and test, in
    any case and also in compound names (seg_train, train2017), are read as the split of the data; any of them may be
    missing. A folder that alone contains the class folders is searched for them, at any depth; see `class_reading`.

    Raises:
        DataError: there are no images, no class folders, only one class, or a class that is not in train.
    """
    source = Source(path)
    if not path.is_dir():
        raise DataError(f"{path.absolute()}: no such folder; check the path")
    return read_class_folders(source, read_classes(source.tree), CLASS_FOLDERS.name, target_kind)


def read_class_folders(
    source: Source, reading: ClassReading, layout: str, target_kind: str | None = None, file_kind: str = ""
) -> Dataset:
    """The images of a folder with the classes and splits of a reading.

    Args:
        source: the folder.
        reading: its classes and splits.
        layout: the name of the layout.
        target_kind: the requested kind of target.
        file_kind: the requested kind of file.

    Raises:
        DataError: as for `read_folder`.
    """
    listing = DatasetBuilder(str(source.path.absolute()), layout, skipped=list(source.unusable), file_kind=file_kind)
    loose, others = _add_files(source, reading, listing)
    loose = with_listed_labels(source, listing, loose)
    found = by_identity(listing.files)
    linked = bool(found) and (target_kind == LABELS.name or (target_kind is None and are_labels(found, loose)))
    listing = with_labels(listing, loose) if linked else _skip_loose(without_conflicts(listing, found), loose)
    if not listing.files:
        raise DataError(f"{listing.source}: {_explain_nothing_found(source, listing, others)}")
    if not linked and not _are_classes({listed.label for listed in listing.files}):
        names = joined(listed.label for listed in listing.files)
        raise DataError(f"{listing.source}: the images in {names} are not in class folders; {_remedy(source)}")
    listing.notes += _notes(source, listing, others, reading)
    labels = {listed.label for listed in listing.files}
    if len(labels) == 1 and not linked and (reason := unread_labels(source) or _named_by_files(source)):
        raise DataError(f"{listing.source}: one class only, {labels.pop()}; {reason}")
    _name_classes(source, listing, labels)
    return (listing if linked else with_listed_splits(source, listing)).build()


def _add_files(source: Source, reading: ClassReading, listing: DatasetBuilder) -> tuple[list[ListedFile], Counter[str]]:
    """Add the images of each class; returns those without a class, and the endings of other files with counts."""
    others: Counter[str] = Counter()
    loose: list[ListedFile] = []
    for parent, files in source.folders:
        folders = parent.relative_to(source.path).parts
        branch, inside = reading.branch_of(folders)
        label = comparable(branch.label or (inside[0] if inside else "")) if branch else ""
        split = branch.split if branch else ""
        split = split or (reading.inside.get(inside[1], "") if len(inside) > 1 else "")
        masks = masks_of_folder(parent, files)
        for file in files:
            if file in masks:
                listing.skipped.append(Skipped(encodable("/".join((*folders, file))), f"is the mask of {masks[file]}"))
                continue
            if ending(file) not in ENDINGS:
                others[ending(file) or "no ending"] += 1
                continue
            name = encodable("/".join((*folders, file)))
            if branch is None:
                listing.skipped.append(Skipped(name, reading.outside))
            elif _holds_masks(inside[1:]):
                listing.skipped.append(Skipped(name, "is in a folder of masks"))
            elif not label:
                loose.append(ListedFile(parent / file, name, "", split))
            else:
                listing.files.append(ListedFile(parent / file, name, label, split))
    return loose, others


def _name_classes(source: Source, listing: DatasetBuilder, labels: set[str]) -> None:
    """Replace identifiers of classes by names, where a file beside the images gives them."""
    names_of, notes = named_classes(source.path.absolute(), labels)
    if names_of:
        listing.files = [replace(listed, label=names_of.get(listed.label, listed.label)) for listed in listing.files]
        listing.notes += notes


def _holds_masks(folders: tuple[str, ...]) -> bool:
    """Whether a folder inside that of a class is called masks or the like."""
    return any(role_of(folder)[0] for folder in folders)


def _skip_loose(listing: DatasetBuilder, loose: list[ListedFile]) -> DatasetBuilder:
    """Skip images without a class folder: a split that consists of them, such as images to predict, has no labels."""
    labelled = {listed.split for listed in listing.files}
    for listed in loose:
        alone = bool(listed.split) and bool(labelled) and listed.split not in labelled
        why = "has no label: its split has no class folders" if alone else "is not in a class folder"
        listing.skipped.append(Skipped(listed.name, why))
    return listing


def _are_classes(labels: Iterable[str]) -> bool:
    """Whether the names of folders may be classes: not all are names of splits."""
    labels = set(labels)
    return not all(map(split_of, labels)) and (len(labels) < 2 or not set_names(labels))


def _explain_nothing_found(source: Source, listing: DatasetBuilder, others: Counter[str]) -> str:
    if listing.skipped:
        what = most_frequent_kind(Path(one.name) for one in listing.skipped).nouns[1]
        return f"{len(listing.skipped):,} {what} but no class folders; {_remedy(source)}"
    if others:
        found = ", ".join(f"{count} {ending}" for ending, count in others.most_common(3))
        return f"no images, only other files ({found}); {remedy_for_formats(others) or _remedy(source)}"
    return "the folder is empty; put images in it, in one subfolder per class"


def _remedy(source: Source) -> str:
    unread = unread_labels(source)
    if unread:
        return unread
    named = _named_by_files(source)
    return f"put them in one subfolder per class{f', or {named}' if named else ''}"


def _named_by_files(source: Source) -> str:
    """What to do if the names of files are those of classes and numbers; empty if they are not."""
    stems = (name.rpartition(".")[0] for _, names in source.folders for name in names if ending(name) in ENDINGS)
    labels = {match[1] for match in map(_NUMBERED.fullmatch, stems) if match}
    return f"set --layout file-names if {joined(sorted(labels)[:2])} are classes" if len(labels) > 1 else ""


def _notes(source: Source, listing: DatasetBuilder, others: Counter[str], reading: ClassReading) -> list[str]:
    notes = list(reading.notes)
    if others:
        found = ", ".join(f"{count} {ending}" for ending, count in sorted(others.items()))
        notes.append(f"skipped files that are not images: {found}")
    for parts, folder in source.tree.walk():
        branch = reading.branches.get(parts)
        if branch is not None and not branch.label:
            notes += [f"folder {encodable(name)} contains no images and is skipped" for name in folder.empty]
    labelled = {listed.split for listed in listing.files}
    for parts, branch in reading.branches.items():
        unlabelled = sum(skipped.name.startswith("/".join(parts) + "/") for skipped in listing.skipped)
        if branch.split and branch.split not in labelled and unlabelled:
            notes.append(f"{'/'.join(parts)} has no class folders, so its {unlabelled:,} images are skipped")
    return notes


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    """Any folder; with confidence if several class folders contain images."""
    if not source.path.is_dir():
        return None
    reading = read_classes(source.tree)
    names = class_names(source.tree, reading)
    if len(names) < 2 or not _are_classes(names):
        return Recognised(CLASS_FOLDERS.name, 0.2 if source.images else 0.05, "it is a folder")
    return Recognised(CLASS_FOLDERS.name, 0.5, f"its {because_of(names, reading)} contain images")


def because_of(names: list[str], reading: ClassReading) -> str:
    """The class folders of a reading for its reason: "folders cat and dog"."""
    more = len(names) > _SHOWN
    folders = f"{len(names):,} folders {', '.join(names[:_SHOWN])}, ..." if more else f"folders {enumerated(names)}"
    splits = [split for split in SPLITS if any(branch.split == split for branch in reading.branches.values())]
    return f"{folders} in {enumerated(splits)}" if splits else folders


def _read(source: Source, settings: ReadSettings) -> Dataset:
    reading = read_classes(source.tree)
    if settings.layout is None and (folds := folds_of_sets(source.tree, reading)):
        raise DataError(f"{source}: {folds}")
    dataset = read_class_folders(source, reading, CLASS_FOLDERS.name, settings.target_kind, settings.file_kind)
    if settings.layout is None and settings.target_kind is None and isinstance(dataset.images, tuple):
        _check_are_no_masks(dataset, dataset.images)
    return dataset


def _check_are_no_masks(dataset: Dataset, images: tuple[Path, ...]) -> None:
    """Refuse to learn the difference between images and their masks."""
    if dataset.target_kind != CLASSES.name or len(dataset.classes) > MOST_FOLDERS:
        return
    if dataset.input_kind == VOLUME and all(map(_IMAGES_AND_MASKS.fullmatch, dataset.classes)):
        raise DataError(
            f"{dataset.source}: {joined(dataset.classes)} hold volumes and their masks, and masks of volumes are not "
            "read; give one subfolder per class, or choose --layout folder if they are classes"
        )
    labels = (dataset.classes[target] for target in dataset.targets)
    found = images_and_masks([
        ListedFile(path, path.name, label, split)
        for path, label, split in zip(images, labels, dataset.splits.tolist(), strict=True)
    ])  # fmt: skip
    if found:
        raise DataError(
            f"{dataset.source}: {found[0]} and {found[1]} hold files of the same names, and those of {found[1]} have "
            "few values, as masks do; call the folders images and masks, or choose --layout folder if they are classes"
        )


CLASS_FOLDERS = Layout(
    "folder",
    "one subfolder of images per class",
    _recognise,
    _read,
)

"""Class folders: one subfolder per class, optionally under train/, validation/ and test/."""

from collections import Counter
from pathlib import Path

from convscope.datasets.builder import (
    DatasetBuilder,
    ListedFile,
    ending,
    is_hidden,
    looks_like_image,
    visible_files,
    visible_folders,
)
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.inputs.image import ENDINGS
from convscope.datasets.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.datasets.layouts.mask_pairs import masks_of_folder
from convscope.datasets.layouts.multilabel_folder import has_shared_files, with_labels
from convscope.datasets.targets.labels import LABELS
from convscope.errors import DataError

_TABLES = (".csv", ".tsv", ".parquet")


def read_folder(path: Path, target_kind: str | None = None) -> Dataset:
    """The images below a folder, each labelled with the name of its class folder, at any depth.

    If a file is in several of them, by links, or if `target_kind` is "labels", folders are labels.

    If `path` contains a folder train with class folders, then train, validation (or val, valid, dev) and test, in any
    case, are read as the split of the data; any of them may be missing.

    Raises:
        DataError: there are no images, no class folders, only one class, or a class that is not in train.
    """
    listing = DatasetBuilder(str(path.absolute()), CLASS_FOLDERS.name)
    if not path.is_dir():
        raise DataError(f"{listing.source}: no such folder; check the path")
    split_folders = _split_folders(path)
    others: Counter[str] = Counter()
    loose: list[ListedFile] = []
    for parent, files in visible_folders(path):
        folders = parent.relative_to(path).parts
        split = split_folders.get((*folders, "")[0]) if split_folders else ""
        inside = folders[1:] if split_folders else folders
        masks = masks_of_folder(parent, files)
        for file in files:
            name = "/".join((*folders, file))
            if file in masks:
                listing.skipped.append(Skipped(name, f"is the mask of {masks[file]}"))
            elif ending(file) not in ENDINGS:
                others[ending(file) or "no ending"] += 1
            elif split is None:
                listing.skipped.append(Skipped(name, f"is outside the split folders {_joined_names(split_folders)}"))
            elif not inside:
                loose.append(ListedFile(parent / file, name, "", split))
            else:
                listing.files.append(ListedFile(parent / file, name, inside[0], split))
    linked = bool(listing.files) and (
        target_kind == LABELS.name or (target_kind is None and has_shared_files(listing.files))
    )
    listing = with_labels(listing, loose) if linked else _skip_loose(listing, loose)
    if not listing.files:
        raise DataError(f"{listing.source}: {_explain_nothing_found(path, listing, others)}")
    if not split_folders and not linked and all(split_of(listed.label) for listed in listing.files):
        names = " and ".join(sorted({listed.label for listed in listing.files}))
        raise DataError(f"{listing.source}: the images in {names} are not in class folders; {_remedy(path)}")
    listing.notes += _notes(path, listing, others, split_folders)
    return listing.build()


def _skip_loose(listing: DatasetBuilder, loose: list[ListedFile]) -> DatasetBuilder:
    listing.skipped += [Skipped(listed.name, "is not in a class folder") for listed in loose]
    return listing


def _split_folders(path: Path) -> dict[str, str]:
    """Folder name -> split, if the data are split; else empty.

    A class may be called train (the vehicle): then it contains its images directly.
    """
    named = {folder.name: split_of(folder.name) for folder in _subfolders(path)}
    split_folders = {name: split for name, split in named.items() if split is not None}
    if not split_folders or any(_has_images(path / name) for name in named if name not in split_folders):
        trains = [name for name, split in split_folders.items() if split == "train"]
        if not any(_has_class_folders(path / name) for name in trains):
            return {}
    if not any(_has_class_folders(path / name) for name in split_folders):
        return {}
    return split_folders


def _subfolders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not is_hidden(entry.name))


def _has_images(folder: Path) -> bool:
    return any(looks_like_image(file) for file in visible_files(folder))


def _has_class_folders(folder: Path) -> bool:
    """Whether subfolders of the folder contain images and the folder itself none."""
    directly = any(entry.is_file() and looks_like_image(entry) for entry in folder.iterdir())
    return not directly and any(_has_images(entry) for entry in _subfolders(folder))


def _explain_nothing_found(path: Path, listing: DatasetBuilder, others: Counter[str]) -> str:
    if listing.skipped:
        return f"{len(listing.skipped):,} images but no class folders; {_remedy(path)}"
    if others:
        found = ", ".join(f"{count} {ending}" for ending, count in others.most_common(3))
        return f"no images, only other files ({found}); {_remedy(path)}"
    return "the folder is empty; put images in it, in one subfolder per class"


def _remedy(path: Path) -> str:
    tables = [file.name for file in sorted(path.iterdir()) if file.suffix.lower() in _TABLES]
    return f"give the table instead: {' or '.join(tables)}" if tables else "put them in one subfolder per class"


def _notes(path: Path, listing: DatasetBuilder, others: Counter[str], split_folders: dict[str, str]) -> list[str]:
    notes = []
    if others:
        found = ", ".join(f"{count} {ending}" for ending, count in sorted(others.items()))
        notes.append(f"skipped files that are not images: {found}")
    labels = {listed.name.split("/")[1 if split_folders else 0] for listed in listing.files} | set(listing.names)
    for folder in (path / name for name in split_folders) if split_folders else (path,):
        empty = [entry.name for entry in _subfolders(folder) if entry.name not in labels]
        notes += [f"folder {name} contains no images and is skipped" for name in empty]
    return notes


def _joined_names(split_folders: dict[str, str]) -> str:
    return " and ".join(sorted(split_folders))


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    """Any folder; with confidence if several of its subfolders contain images."""
    if not source.path.is_dir():
        return None
    names = {
        place.relative_to(source.path).parts[:1]
        for place, files in source.folders
        if any(ending(file) in ENDINGS for file in files)
    }
    several = len(names - {()}) > 1
    confidence = 0.5 if several else 0.2 if names else 0.05
    because = f"{len(names - {()})} subfolders contain images" if several else "it is a folder"
    return Recognised(CLASS_FOLDERS.name, confidence, because)


CLASS_FOLDERS = Layout(
    "folder",
    "one subfolder of images per class",
    _recognise,
    lambda source, settings: read_folder(source.path, settings.target_kind),
)

"""A folder per label, with links to the images that have it: several labels per image."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from convscope.data.builder import DatasetBuilder, ListedFile
from convscope.data.targets.labels import LABELS


def has_shared_files(files: Iterable[ListedFile]) -> bool:
    """Whether one file, under whatever name, lies in several class folders of the same set."""
    folders: dict[tuple[str, int, int], str] = {}
    return any(
        folders.setdefault((listed.split, *_identity(listed.path)), listed.label) != listed.label for listed in files
    )


def with_labels(listing: DatasetBuilder, loose: Iterable[ListedFile]) -> DatasetBuilder:
    """The listing with one entry for each file, and as labels the folders that hold it or a link to it.

    A folder that holds every image is where they are kept and no label. Images in no folder have no label.

    Args:
        listing: of classes.
        loose: images that lie in no class folder.
    """
    found: dict[tuple[str, int, int], list[ListedFile]] = {}
    for listed in sorted([*listing.files, *loose], key=lambda listed: (listed.path.is_symlink(), listed.name)):
        found.setdefault((listed.split, *_identity(listed.path)), []).append(listed)
    held = [{listed.label for listed in entries} - {""} for entries in found.values()]
    everywhere = set.intersection(*held)
    names = tuple(sorted(set().union(*held) - everywhere)) or tuple(sorted(everywhere))
    notes = [f"folder {name} holds every image and is no label" for name in sorted(everywhere - set(names))]
    files = [
        replace(entries[0], label="", value=[float(name in labels) for name in names])
        for entries, labels in zip(found.values(), held, strict=True)
    ]
    return replace(listing, files=files, target_kind=LABELS.name, names=names, notes=[*listing.notes, *notes])


def _identity(path: Path) -> tuple[int, int]:
    try:
        known = path.stat()
    except OSError:  # a link to nothing
        known = path.lstat()
    return known.st_dev, known.st_ino

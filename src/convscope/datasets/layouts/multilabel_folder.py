"""Multi-label folders: one folder per label, with links to the images that have it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.targets.labels import LABELS


def has_shared_files(files: Iterable[ListedFile]) -> bool:
    """Whether a file is in several class folders of the same split, also under different names."""
    folders: dict[tuple[str, int, int], str] = {}
    return any(
        folders.setdefault((listed.split, *_identity(listed.path)), listed.label) != listed.label for listed in files
    )


def with_labels(listing: DatasetBuilder, loose: Iterable[ListedFile]) -> DatasetBuilder:
    """The listing with one entry per file, whose labels are the folders that contain it or a link to it.

    A folder that contains every image is not a label. Images outside folders have no label.

    Args:
        listing: with one entry per file and class folder.
        loose: images outside class folders.
    """
    found: dict[tuple[str, int, int], list[ListedFile]] = {}
    for listed in sorted([*listing.files, *loose], key=lambda listed: (listed.path.is_symlink(), listed.name)):
        found.setdefault((listed.split, *_identity(listed.path)), []).append(listed)
    label_sets = [{listed.label for listed in entries} - {""} for entries in found.values()]
    everywhere = set.intersection(*label_sets)
    names = tuple(sorted(set().union(*label_sets) - everywhere)) or tuple(sorted(everywhere))
    notes = [f"folder {name} contains every image and is not a label" for name in sorted(everywhere - set(names))]
    files = [
        replace(entries[0], label="", value=[float(name in labels) for name in names])
        for entries, labels in zip(found.values(), label_sets, strict=True)
    ]
    return replace(listing, files=files, target_kind=LABELS.name, names=names, notes=[*listing.notes, *notes])


def _identity(path: Path) -> tuple[int, int]:
    try:
        known = path.stat()
    except OSError:  # a broken link
        known = path.lstat()
    return known.st_dev, known.st_ino

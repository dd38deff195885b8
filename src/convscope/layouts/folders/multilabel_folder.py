"""Multi-label folders: one folder per label, with links to the images that have it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Skipped
from convscope.datasets.targets.labels import LABELS

_SHARED = 0.2  # share of files in several class folders above which the folders are labels


Identity = tuple[int, int]


def by_identity(files: Iterable[ListedFile]) -> dict[Identity, list[ListedFile]]:
    """The entries of each file; links to it are entries, too."""
    found: dict[Identity, list[ListedFile]] = {}
    for listed in files:
        found.setdefault(_identity(listed.path), []).append(listed)
    return found


def are_labels(found: Mapping[Identity, Sequence[ListedFile]], loose: Iterable[ListedFile]) -> bool:
    """Whether class folders are labels: many files are in several of them, or they link to images outside of them.

    A few shared files are mistakes, see `without_conflicts`.

    Args:
        found: the entries of each file, one per class folder.
        loose: images outside class folders.
    """
    shared = sum(_is_shared(entries) for entries in found.values())
    return shared > _SHARED * len(found) or any(_identity(listed.path) in found for listed in loose)


def without_conflicts(listing: DatasetBuilder, found: Mapping[Identity, Sequence[ListedFile]]) -> DatasetBuilder:
    """The listing without files that are in several class folders, in any split; they are skipped, with a note."""
    conflicts = [entries for entries in found.values() if len({listed.label for listed in entries}) > 1]
    if not conflicts:
        return listing
    skipped = [Skipped(listed.name, _in_folders(entries)) for entries in conflicts for listed in entries]
    names = {one.name for one in skipped}
    first = " and ".join(sorted(listed.name for listed in conflicts[0]))
    files = "1 file is" if len(conflicts) == 1 else f"{len(conflicts):,} files are"
    note = (
        f"{files} in several class folders and skipped, such as {first}; "
        f"leave each in one, or set --task multilabel to read the folders as {LABELS.name}"
    )
    files_left = [listed for listed in listing.files if listed.name not in names]
    return replace(listing, files=files_left, skipped=[*listing.skipped, *skipped], notes=[note, *listing.notes])


def _in_folders(entries: Iterable[ListedFile]) -> str:
    return "is " + " and ".join(f"in {label}" for label in sorted({listed.label for listed in entries}))


def _is_shared(entries: Sequence[ListedFile]) -> bool:
    """Whether a file is in several class folders of one split."""
    labels: dict[str, str] = {}
    return len(entries) > 1 and any(labels.setdefault(one.split, one.label) != one.label for one in entries)


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

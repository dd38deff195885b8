"""The split of images from text files beside them, such as meta/train.txt and meta/test.txt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Skipped
from convscope.datasets.listing import comparable
from convscope.layouts.layout import Source
from convscope.layouts.split_lists import listed_names, split_in_words

_MOST = 30  # text files that are looked at
_LISTED = 0.9  # of the lines of a list have to name an image
_FLAGS, _NUMBERED = "train_test_split.txt", "images.txt"  # as in CUB-200: number and 0 or 1, number and path
_TRAIN_AND_VALIDATION = ("trainval", "train_val")  # used for training where there is no list for it alone
_SPLIT_OF_FLAG = {"0": "test", "1": "train"}


def with_listed_splits(source: Source, listing: DatasetBuilder) -> DatasetBuilder:
    """The listing with the splits of its images that lists name, if there are some for train and another split.

    A line names an image by its folder and its name, or by its name alone where no other image has it, with or without
    the ending; a label after it is ignored. Images in no list are skipped.
    """
    if any(listed.split for listed in listing.files):
        return listing
    lists = _numbered_lists(source) or _named_lists(source)
    try:
        found = _splits(lists, _by_tail(listing.files))
    except _ContradictionError as error:
        listing.notes.append(f"the lists of splits are not used, because {error}; leave one list for each split")
        return listing
    if not {"train"} < set(found.values()):
        return listing
    names = [listed.name for listed in listing.files if listed.name not in found]
    listing.skipped += [Skipped(name, "is in none of the lists of the splits") for name in names]
    listing.files = [replace(listed, split=found[listed.name]) for listed in listing.files if listed.name in found]
    read = ", ".join(dict.fromkeys(f"{place} ({split})" for place, split, _ in lists))
    listing.notes.append(f"the split is read from {read}")
    return listing


_Lists = list[tuple[str, str, list[str]]]
"""The file, the split and the names of each list."""


class _ContradictionError(Exception):
    """Two lists put the same image into two splits."""


def _named_lists(source: Source) -> _Lists:
    files = source.files(".txt")[:_MOST]
    splits = [(file, split_in_words(file.stem)) for file in files]
    if "train" not in {split for _, split in splits}:
        splits += [(file, "train") for file in files if file.stem in _TRAIN_AND_VALIDATION]
    return [(_place(file, source), split, listed_names(file)) for file, split in splits if split]


def _numbered_lists(source: Source) -> _Lists:
    for flags in source.files(".txt"):
        paths = flags.parent / _NUMBERED
        if flags.name == _FLAGS and paths.is_file():
            by_number = dict(_pairs(listed_names(paths)))
            split_of = {number: _SPLIT_OF_FLAG.get(flag, "") for number, flag in _pairs(listed_names(flags))}
            return [
                (_place(flags, source), split, [by_number.get(one, "") for one in split_of if split_of[one] == split])
                for split in ("train", "test")
            ]
    return []


def _pairs(lines: Iterable[str]) -> list[tuple[str, str]]:
    words = (line.split(maxsplit=1) for line in lines)
    return [(pair[0], pair[1]) for pair in words if len(pair) == 2]


def _splits(lists: _Lists, by_tail: Mapping[str, str]) -> dict[str, str]:
    """Name of an image -> split; empty if a list names other things.

    Raises:
        _ContradictionError: an image is in the lists of two splits.
    """
    found: dict[str, tuple[str, str]] = {}
    for place, split, lines in lists:
        names = [by_tail.get(_key(line)) or by_tail.get(_key(line.split()[0] if line else "")) for line in lines]
        known = {name for name in names if name}
        if not known or len(known) < _LISTED * len(lines):
            return {}
        for name in sorted(known):
            other, before = found.setdefault(name, (place, split))
            if before != split:
                raise _ContradictionError(f"{name} is in {other} and in {place}")
    return {name: split for name, (_, split) in found.items()}


def _by_tail(files: Sequence[ListedFile]) -> dict[str, str]:
    """The last folder and the name of each image, or its name, also without the ending -> its whole name.

    Keys that two images share are left out.
    """
    names: dict[str, str] = {}
    shared: set[str] = set()
    for listed in files:
        tail, alone = "/".join(listed.name.split("/")[-2:]), listed.name.rpartition("/")[2]
        for key in {_key(one) for whole in (tail, alone) for one in (whole, whole.rpartition(".")[0])}:
            shared |= {key} & names.keys()
            names[key] = listed.name
    return {key: name for key, name in names.items() if key not in shared}


def _key(line: str) -> str:
    return comparable("/".join(line.replace("\\", "/").split("/")[-2:]))


def _place(file: Path, source: Source) -> str:
    return file.relative_to(source.path).as_posix()

"""Classes of loose images from a list beside them, as in Tiny-ImageNet's val_annotations.txt."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.listing import comparable
from convscope.layouts.layout import Source
from convscope.layouts.split_lists import listed_names

_MOST = 30  # files that are looked at
_LISTED = 0.9  # of the lines have to name a loose image and a class
_BETWEEN = re.compile(r"[\t,; ]+")


def with_listed_labels(source: Source, listing: DatasetBuilder, loose: Sequence[ListedFile]) -> list[ListedFile]:
    """Add the loose images whose classes a list gives, and return the others.

    A line is the name of an image, with or without its ending, and the name of a class folder; what follows is
    ignored.
    """
    classes = {listed.label for listed in listing.files}
    if not loose or not classes:
        return [*loose]
    by_stem = _by_stem(loose)
    for file in source.files(".txt", ".csv")[:_MOST]:
        found = _labels(listed_names(file), by_stem, classes)
        if found:
            listing.files += [replace(listed, label=found[listed.name]) for listed in loose if listed.name in found]
            place = file.relative_to(source.path).as_posix()
            listing.notes.append(f"the classes of {len(found):,} images without class folders are read from {place}")
            return with_listed_labels(source, listing, [listed for listed in loose if listed.name not in found])
    return [*loose]


def _labels(lines: Sequence[str], by_stem: dict[str, str], classes: set[str]) -> dict[str, str]:
    """Name of an image -> class; empty if the lines say other things."""
    rows = [_BETWEEN.split(line, maxsplit=2) for line in lines]
    known = [(_stem(row[0]), comparable(row[1])) for row in rows if len(row) > 1]
    found = {by_stem[stem]: label for stem, label in known if stem in by_stem and label in classes}
    return found if found and len(found) >= _LISTED * (len(rows) - 1) else {}  # the first may be a header


def _by_stem(loose: Sequence[ListedFile]) -> dict[str, str]:
    count = Counter(_stem(listed.name) for listed in loose)
    return {stem: listed.name for listed in loose if count[stem := _stem(listed.name)] == 1}


def _stem(name: str) -> str:
    last = comparable(name.replace("\\", "/").rpartition("/")[2])
    stem, dot, ending = last.rpartition(".")
    return stem if dot and 0 < len(ending) <= len("jpeg2") else last

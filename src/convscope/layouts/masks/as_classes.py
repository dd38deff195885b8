"""Two folders that look like classes but hold images and their masks, under names that do not say so."""

import math
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from convscope.datasets.builder import ListedFile
from convscope.layouts.masks.pairs import name_without_roles
from convscope.layouts.masks.survey import TOO_MANY, MaskSurvey, survey

MOST_FOLDERS = 8  # that are compared
_LEAST = 4  # files of the same names
_SHARED = 0.9  # of the files of each folder
_SAMPLE = 6  # files of each folder that are read
_FEW = 16  # values of a mask
_MANY = 64  # values of a photograph


def images_and_masks(files: Sequence[ListedFile]) -> tuple[str, str] | None:
    """The labels of a folder of images and of the folder of their masks; None if all folders are classes.

    Classes may have files of the same names (cat/1.jpg, dog/1.jpg) too: what distinguishes masks is that each has at
    most `_FEW` values, where the images have more than `_MANY`. Words such as "_segmentation" are no part of a name.
    """
    by_label: dict[str, dict[str, Path]] = defaultdict(dict)
    for listed in files:
        by_label[listed.label][f"{listed.split}/{_name(listed.path)}"] = listed.path
    if not 2 <= len(by_label) <= MOST_FOLDERS:
        return None
    pairs = (_in_order(first, second, by_label) for first, second in combinations(by_label, 2))
    return next((pair for pair in pairs if pair), None)


def _in_order(first: str, second: str, by_label: Mapping[str, Mapping[str, Path]]) -> tuple[str, str] | None:
    some, others = by_label[first], by_label[second]
    shared = sorted(some.keys() & others.keys())
    if len(shared) < max(_LEAST, _SHARED * len(some), _SHARED * len(others)):
        return None
    sample = shared[:: max(1, len(shared) // _SAMPLE)][:_SAMPLE]
    values, of_others = _values([some[name] for name in sample]), _values([others[name] for name in sample])
    if max(of_others) <= _FEW and min(values) > _MANY:
        return first, second
    return (second, first) if max(values) <= _FEW and min(of_others) > _MANY else None


def _name(path: Path) -> str:
    return name_without_roles(unicodedata.normalize("NFC", path.stem))


def _values(paths: Sequence[Path]) -> list[float]:
    """The number of different values in each file; neither few nor many if it cannot be read."""
    between = (_FEW + _MANY) / 2
    return [
        len(found.counts) if isinstance(found, MaskSurvey) else math.inf if found == TOO_MANY else between
        for found in survey(paths)
    ]

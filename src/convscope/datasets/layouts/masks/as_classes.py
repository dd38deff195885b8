"""Two folders that look like classes but hold images and their masks, under names that do not say so."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from convscope.datasets.builder import ListedFile
from convscope.datasets.layouts.masks.survey import MaskSurvey, survey

_LEAST = 4  # files of the same names
_SHARED = 0.9  # of the files of each folder
_SAMPLE = 6  # files of each folder that are read
_FEW = 16  # values of a mask
_MANY = 64  # values of a photograph


def images_and_masks(files: Sequence[ListedFile]) -> tuple[str, str] | None:
    """The labels of the folder of images and of the folder of masks; None if these are classes.

    Classes may have files of the same names (cat/1.jpg, dog/1.jpg) too: what distinguishes masks is that each has at
    most `_FEW` values, where the images have more than `_MANY`.
    """
    by_label: dict[str, dict[str, Path]] = defaultdict(dict)
    for listed in files:
        by_label[listed.label][f"{listed.split}/{_stem(listed.path)}"] = listed.path
    if len(by_label) != 2:
        return None
    (first, some), (second, others) = by_label.items()
    shared = sorted(some.keys() & others.keys())
    if len(shared) < max(_LEAST, _SHARED * len(some), _SHARED * len(others)):
        return None
    sample = shared[:: max(1, len(shared) // _SAMPLE)][:_SAMPLE]
    values, of_others = _values([some[name] for name in sample]), _values([others[name] for name in sample])
    if max(of_others) <= _FEW and min(values) > _MANY:
        return first, second
    return (second, first) if max(values) <= _FEW and min(of_others) > _MANY else None


def _stem(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem).lower()


def _values(paths: Sequence[Path]) -> list[float]:
    """The number of different values in each file; neither few nor many if it cannot be read."""
    between = (_FEW + _MANY) / 2
    return [len(found.counts) if isinstance(found, MaskSurvey) else between for found in survey(paths)]

"""Masks of one class each, whose class is in the name of the file (0001_car.png) or of its folder (masks/car)."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convscope.layouts.masks.survey import TOO_MANY, MaskSurvey, survey

_BETWEEN = re.compile(r"[\W_]+")
_LAST_WORD = re.compile(r"[-_. ]+[^-_. \d]+$")
_MOST_CLASSES = 100
_FEW = 4  # values of a mask of one class
_SAMPLE = 8  # files that are read to see whether they are masks


@dataclass(frozen=True)
class NamedFile:
    """An image or a mask."""

    path: Path
    folders: tuple[str, ...]
    """Its folders without those that say what is image and what is mask."""
    stem: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name in lower case."""
        return tuple(word.lower() for word in _BETWEEN.split(self.stem) if word)


@dataclass(frozen=True)
class NamedMask:
    """The image of a mask, and the class in its name."""

    image: Path
    label: str


def match_by_class(
    images: Sequence[NamedFile], masks: Sequence[NamedFile], no_classes: frozenset[str]
) -> dict[Path, NamedMask]:
    """Mask -> its image and class, for masks that are called like an image with words before or after: 0001_car.png.

    Empty if a mask has no image, or there are too many such words to be classes.

    Args:
        images: images.
        masks: masks that no image of the same name exists for.
        no_classes: words that say that a file is a mask.
    """
    by_words: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Path]] = {}
    for image in images:
        by_words.setdefault((image.folders, image.words), []).append(image.path)
    found: dict[Path, NamedMask] = {}
    for mask in masks:
        named = _named(mask, by_words, no_classes)
        if named is None:
            return {}
        found[mask.path] = named
    count = Counter(named.label for named in found.values())
    return found if 0 < len(count) <= _MOST_CLASSES and len(count) < len(found) else {}


def _named(
    mask: NamedFile,
    by_words: Mapping[tuple[tuple[str, ...], tuple[str, ...]], Sequence[Path]],
    no_classes: frozenset[str],
) -> NamedMask | None:
    written = [word for word in _BETWEEN.split(mask.stem) if word]
    for cut in range(len(written) - 1, 0, -1):
        for name, rest in ((mask.words[:cut], written[cut:]), (mask.words[-cut:], written[:-cut])):
            images = by_words.get((mask.folders, name), ())
            label = " ".join(word for word in rest if not word.isdecimal() and word.lower() not in no_classes)
            if len(images) == 1 and label:
                return NamedMask(images[0], label)
    return None


def named_beside(files: Sequence[NamedFile], no_classes: frozenset[str]) -> dict[Path, NamedMask]:
    """The masks among the files of a folder that are called like another one with a word more, and have few values."""
    by_words = {(one.folders, one.words): one for one in files}
    masks = [
        one for one in files if any((one.folders, one.words[:cut]) in by_words for cut in range(1, len(one.words)))
    ]
    chosen = {one.path for one in masks}
    images = [one for one in files if one.path not in chosen]
    if not masks or len(images) > len(masks):
        return {}
    found = match_by_class(images, masks, no_classes)
    sample = [*found][:: max(1, len(found) // _SAMPLE)]
    pictures = list({found[mask].image for mask in sample})
    few = all(isinstance(one, MaskSurvey) and len(one.counts) <= _FEW for one in survey(sample))
    many = all(one == TOO_MANY or (isinstance(one, MaskSurvey) and len(one.counts) > _FEW) for one in survey(pictures))
    return found if few and many else {}


def may_be_named_beside(names: Sequence[str]) -> bool:
    """Whether at least half of the files of a folder are called like another one with a word more: a fast look."""
    stems = {name.rpartition(".")[0] for name in names}
    shorter = ((stem, _LAST_WORD.sub("", stem)) for stem in stems if not stem[-1:].isdecimal())
    longer = sum(start != stem and start in stems for stem, start in shorter)
    return 0 < len(stems) <= 2 * longer


def folder_classes(matched: Mapping[NamedFile, NamedFile]) -> dict[Path, str]:
    """Mask -> class for masks in a folder per class, as masks/car/1.png and masks/tree/1.png; empty if there are none.

    Args:
        matched: mask -> image.
    """
    labels: dict[Path, str] = {}
    for mask, image in matched.items():
        more = [name for name in mask.folders if name not in image.folders and name != image.stem.lower()]
        if len(more) != 1:
            return {}
        labels[mask.path] = next((part for part in reversed(mask.path.parts) if part.lower() == more[0]), more[0])
    return labels if 1 < len(set(labels.values())) <= _MOST_CLASSES else {}

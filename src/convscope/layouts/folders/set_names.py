"""Names of folders that stand for the splits of a dataset, also in compound words: seg_train, train2017."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convscope.datasets.dataset import split_of

UNLABELLED = "unlabelled"
"""Stands for a set without labels, such as images to predict."""

_UNLABELLED = frozenset({
    "unlabelled", "unlabeled", "unlabel", "unsup", "unsupervised", "pred", "predict", "prediction", "predictions",
    "submission", "submit", "unknown", "unseen", "holdout", "extra", "new",
})  # fmt: skip
_CONTAINERS = frozenset({
    "data", "dataset", "datasets", "images", "image", "imgs", "img", "pictures", "picture", "pics", "photos", "photo",
    "jpegimages", "jpg", "jpeg", "png", "raw", "all", "input", "inputs", "classes", "class", "categories", "labelled",
    "labeled", "content", "archive", "files", "folder", "folders", "set", "sets", "subset", "split", "splits",
})  # fmt: skip
_ASIDE = frozenset({
    "example", "examples", "sample", "samples", "doc", "docs", "documentation", "figure", "figures", "fig", "figs",
    "asset", "assets", "screenshot", "screenshots", "demo", "demos", "readme", "notebook", "notebooks", "paper",
    "static", "logo", "logos", "icon", "icons", "thumbnail", "thumbnails", "thumbs", "preview", "previews", "src",
    "result", "results", "output", "outputs", "plot", "plots", "report", "reports", "web", "website", "github", "media",
})  # fmt: skip
_VAGUE = ("dev", "final", "tune", "tuning")  # splits only as whole names
_GLUED = re.compile(r"(train|test|val|valid|validation|training|testing)(set|data|dataset|images|imgs|img)s?")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True)
class SetName:
    """What a compound name stands for: a split, or `UNLABELLED`; and its other words, which all sets share."""

    split: str
    rest: tuple[str, ...]


def words(name: str) -> list[str]:
    """The words of a name in lower case, without digits.

    >>> words("SegTrain_2017"), words("x-train"), words("TEST")
    (['seg', 'train'], ['x', 'train'], ['test'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def set_name(name: str) -> SetName | None:
    """What a name stands for if one of its words is a split; None if none or several are.

    >>> set_name("seg_train"), set_name("training_set"), set_name("car")
    (SetName(split='train', rest=('seg',)), SetName(split='train', rest=()), None)
    """
    parts = [word for part in words(name) for word in _unglued(part)]
    splits = [_split_of(part) for part in parts]
    if sum(split is not None for split in splits) != 1:
        return None
    rest = tuple(p for p, split in zip(parts, splits, strict=True) if split is None and p not in _CONTAINERS)
    return SetName(next(split for split in splits if split), rest)


def set_names(names: Iterable[str]) -> dict[str, str]:
    """Name -> split or `UNLABELLED`, if all of the names are those of sets that differ in this word only; else empty.

    >>> set_names(["seg_train", "seg_test", "seg_pred"])
    {'seg_train': 'train', 'seg_test': 'test', 'seg_pred': 'unlabelled'}
    >>> set_names(["train_station", "bus_station"]), set_names(["passenger_train", "freight_train"])
    ({}, {})
    """
    found = {name: set_name(name) for name in names}
    known = [one for one in found.values() if one is not None]
    splits = {one.split for one in known} - {UNLABELLED}
    if len(known) < len(found) or len({one.rest for one in known}) != 1 or not splits:
        return {}
    if len(found) == 1 and splits != {"train"}:
        return {}
    return {name: one.split for name, one in found.items() if one is not None}


def joined(names: Iterable[str]) -> str:
    """Names for a sentence, in order.

    >>> joined(["car", "train", "bus"])
    'bus, car and train'
    """
    return enumerated(sorted(set(names)))


def enumerated(names: Sequence[str]) -> str:
    """Names for a sentence, in their order.

    >>> enumerated(["train", "test"])
    'train and test'
    """
    *most, last = names or [""]
    return f"{', '.join(most)} and {last}" if most else last


def is_container(name: str) -> bool:
    """Whether a folder of this name is one of data, not a class: Dataset, images, PetImages."""
    return any(word in _CONTAINERS for word in words(name)) and not is_aside(name)


def is_aside(name: str) -> bool:
    """Whether a folder of this name is beside the data: examples, docs, images to predict."""
    return any(word in _ASIDE or word in _UNLABELLED for word in words(name))


def _split_of(word: str) -> str | None:
    return UNLABELLED if word in _UNLABELLED else None if word in _VAGUE else split_of(word)


def _unglued(word: str) -> list[str]:
    """The words of a compound: trainset -> train, set."""
    glued = _GLUED.fullmatch(word)
    return [glued[1], glued[2]] if glued else [word]

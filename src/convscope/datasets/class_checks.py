"""Checks of classes, for all layouts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset, Skipped
from convscope.errors import DataError

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in the order of their indices: numeric if all are numbers, else alphabetical.

    >>> in_order(["10", "9"]), in_order(["-1", "2.5", "10"]), in_order(["b10", "b9"])
    (('9', '10'), ('-1', '2.5', '10'), ('b10', 'b9'))
    """
    known = set(names)
    if all(_NUMBER.fullmatch(name) for name in known):
        return tuple(sorted(known, key=lambda name: (Decimal(name), name)))
    return tuple(sorted(known))


def look_alikes(classes: Iterable[str]) -> list[str]:
    """A note for each group of class names that differ only by case or spaces."""
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault("".join(name.casefold().split()), []).append(name)
    return [
        f"classes {' and '.join(map(repr, names))} differ only by case or spaces; they are treated as different classes"
        for names in alike.values()
        if len(names) > 1
    ]


@dataclass(frozen=True)
class LostClass:
    """A class that has no image left: none of its files can be read."""

    name: str
    files: int
    first: Skipped


def lost_classes(
    labelled: Iterable[tuple[str, str]], left: Iterable[str], skipped: Iterable[Skipped]
) -> list[LostClass]:
    """The classes without images, in order.

    Args:
        labelled: (class, name) of all files.
        left: the classes with images.
        skipped: the files that cannot be read, with the reasons.
    """
    found: dict[str, list[str]] = {}
    remaining = set(left)
    for label, name in labelled:
        if label not in remaining:
            found.setdefault(label, []).append(name)
    why = {one.name: one.why for one in skipped} if found else {}
    return [
        LostClass(label, len(names), Skipped(min(names), why.get(min(names), "cannot be read")))
        for label, names in sorted(found.items())
    ]


def check_classes(dataset: Dataset, lost: Sequence[LostClass] = ()) -> Dataset:
    """Return the dataset if a classifier can be trained on it.

    Args:
        dataset: after unreadable files were skipped.
        lost: classes whose files are all among the skipped ones.

    Raises:
        DataError: there is only one class, the train split is empty, or a class occurs in validation or test but not
            in train.
    """
    source, classes = dataset.source, dataset.classes
    if len(classes) == 1 and dataset.kind.needs_two_classes:
        raise DataError(f"{source}: one class only, {classes[0]}; {_why_one_class(dataset, lost)}")
    given = dataset.splits != ""
    if not given.any():
        return dataset
    if not (~given | (dataset.splits == "train")).any():
        names = " and ".join(sorted(set(dataset.splits.tolist()), reverse=True))
        raise DataError(f"{source}: no image is in train, all are in {names}; add a train split")
    trained = _present(dataset, (dataset.splits == "train") | ~given)
    for split in ("validation", "test"):
        untrained = np.flatnonzero(_present(dataset, dataset.splits == split) & ~trained)
        if len(untrained):
            named = ", ".join(classes[i] for i in untrained[:5]) + (", ..." if len(untrained) > 5 else "")
            missing = (
                "a class that is not in train"
                if len(untrained) == 1
                else f"{len(untrained)} classes that are not in train"
            )
            remedy = f"add such images to train or remove them from {split}"
            by_case = {classes[i].casefold(): classes[i] for i in np.flatnonzero(trained)}
            alike = by_case.get(classes[untrained[0]].casefold())
            if alike:
                remedy = f"{classes[untrained[0]]} and {alike} differ only by case: give both one name"
            raise DataError(f"{source}: {split} has {missing}, {named}, which cannot be learned; {remedy}")
    return dataset


def _why_one_class(dataset: Dataset, lost: Sequence[LostClass]) -> str:
    """Why the other classes are missing, if that is known, and what to do."""
    if lost:
        of = lost[0]
        files = f"all {of.files:,} files of {of.name} are" if of.files > 1 else f"the one file of {of.name} is"
        return f"{files} skipped, such as {of.first.name}: {of.first.why}"
    if dataset.skipped:
        first = dataset.skipped[0]
        files = f"{len(dataset.skipped):,} files are" if len(dataset.skipped) > 1 else "one file is"
        return f"{files} skipped, such as {first.name}: {first.why}; add images of at least one other class"
    return "add images of at least one other"


def drop_unreadable(dataset: Dataset, unreadable: dict[int, str]) -> Dataset:
    """The dataset without the images that `build_store` could not decode, which are added to `skipped`.

    A class that loses all its images is removed. The rows of the result are the rows `Store.readable` of the pixels.

    Raises:
        DataError: the remaining data cannot be trained on, see `check_classes`.
    """
    if not unreadable:
        return dataset
    skipped = [Skipped(dataset.names[row], why) for row, why in sorted(unreadable.items())]
    left = dataset.subset(np.array([row not in unreadable for row in range(len(dataset))]))
    if not len(left):
        raise DataError(f"{dataset.source}: none of its {len(dataset):,} image files can be read; copy them again")
    left = replace(left, skipped=(*left.skipped, *skipped))
    present = left.counts(np.ones(len(left), bool)) > 0
    targets = None if present.all() else left.kind.without_classes(left.targets, present)
    if targets is None:
        return check_classes(left)
    lost = [name for name, there in zip(left.classes, present, strict=True) if not there]
    left = replace(
        left,
        targets=targets,
        classes=tuple(name for name in left.classes if name not in lost),
        notes=(*left.notes, *(f"class {name} is skipped: none of its files can be read" for name in lost)),
    )
    of_rows = dataset.kind.image_classes(dataset.targets, len(dataset.classes))
    labelled = ((dataset.classes[of_rows[row]], dataset.names[row]) for row in unreadable if of_rows[row] >= 0)
    return check_classes(left, lost_classes(labelled, left.classes, skipped))


def _present(dataset: Dataset, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return dataset.counts(rows) > 0

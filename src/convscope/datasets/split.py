"""Stratified, reproducible, leakage-free train/validation/test splits."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import SPLITS, Dataset
from convscope.errors import ConfigError, DataError

FRACTIONS = (0.8, 0.1, 0.1)
_EXCESS = 1.2  # a split may exceed its fraction by this factor, so that each class has an image in it
_FEWEST = 2  # images of validation and of test, where the data allow it


@dataclass(frozen=True)
class Leak:
    """Two images in different splits that belong to the same group."""

    first: str
    """Name of the image in train, else in validation."""
    second: str
    splits: tuple[str, str]
    why: str
    """"duplicate" or "group"."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The split of every image."""

    split: NDArray[np.str_]
    """(N,) "train", "validation" or "test"."""
    leaks: tuple[Leak, ...]
    """Leaks of a split that the data define; splits computed here have none."""

    def indices(self, assigned: str) -> NDArray[np.int64]:
        """Rows of the images in the split."""
        return np.flatnonzero(self.split == assigned)


def split(
    dataset: Dataset,
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
    fractions: tuple[float, float, float] = FRACTIONS,
) -> Splits:
    """Assign every image to a split; splits that the data define are kept, missing ones are taken from train.

    Each class is split by the fractions, to within one image unless groups prevent it. Each class gets one image in
    train first, then in validation, then in test. Where many classes are too small for that, the fractions of the whole
    are kept, and some classes have no image in validation or test. The shuffle depends on the seed and the names only,
    not on the order of files on disk.

    Args:
        dataset: N images.
        groups: (N,) equal numbers for duplicates; merged with the groups of the data, they stay in the same split.
        seed: seed of the shuffle.
        fractions: of train, validation and test; a fraction applies to the images without a given split.

    Raises:
        ConfigError: the fractions are invalid.
        DataError: the data define a validation or test split and no train split.
    """
    if min(fractions) < 0 or fractions[0] <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ConfigError(
            f"split: fractions {fractions} are not valid proportions of train, validation and test; "
            "give three that sum to 1, train more than 0"
        )
    unit = joined_groups(dataset, groups)
    assigned = dataset.splits.astype("<U10")
    given = {name for name in SPLITS[1:] if (assigned == name).any()}
    pool = np.flatnonzero((assigned == "") | (assigned == "train"))
    if not len(pool):
        names = " and ".join(name for name in SPLITS if name in given)
        raise DataError(f"{dataset.source}: no image is in train, all are in {names}; add a train split")
    fraction_of = {name: 0.0 if name in given else part for name, part in zip(SPLITS[1:], fractions[1:], strict=True)}
    assigned[pool] = "train"
    strata, count = dataset.strata()
    partition = _Partition(strata[pool], count, unit[pool], _keys([dataset.names[i] for i in pool], seed))
    assigned[pool] = partition.assign(fraction_of)
    return Splits(assigned, _leaks(dataset, assigned, unit, groups))


def joined_groups(dataset: Dataset, groups: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """(N,) equal numbers for images that are connected by duplicates or by the groups of the data, also indirectly."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(dataset)
    memberships = [] if groups is None else [np.unique(groups, return_inverse=True)[1]]
    if dataset.groups is not None:
        own = np.where(dataset.groups == "", np.array([f"\0{i}" for i in range(count)]), dataset.groups)
        memberships.append(np.unique(own, return_inverse=True)[1])
    if not memberships:
        return np.arange(count)
    # A graph of images (0 .. count) and groups (after them); an edge is a membership.
    rows = np.tile(np.arange(count), len(memberships))
    offset = count
    columns = []
    for membership in memberships:
        columns.append(membership + offset)
        offset += count
    edges = coo_array((np.ones(len(rows), bool), (rows, np.concatenate(columns))), shape=(offset, offset))
    labels: NDArray[np.int64] = connected_components(edges, directed=False)[1][:count].astype(np.int64)
    return labels


class _Partition:
    """A pool of P images that is split."""

    def __init__(
        self, targets: NDArray[np.int64], classes: int, unit: NDArray[np.int64], keys: NDArray[np.uint64]
    ) -> None:
        self.targets = targets
        self.classes = classes
        self.keys = keys
        self.order = np.argsort(keys, kind="stable")
        self.unit = np.unique(unit, return_inverse=True)[1]
        self.counts = np.bincount(targets, minlength=classes)

    def assign(self, fraction_of: dict[str, float]) -> NDArray[np.str_]:
        assigned = np.full(len(self.targets), "train", dtype="<U10")
        need = self._needs(fraction_of)
        wanted = {name: counts > 0 for name, counts in need.items()}
        single = np.bincount(self.unit)[self.unit] == 1
        self._place_groups(assigned, need, ~single)
        for index in range(self.classes):
            free = self.order[(single & (self.targets == index))[self.order]]
            in_train = ((assigned == "train") & ~single & (self.targets == index)).any()
            spare = len(free) - (not in_train)
            for name in SPLITS[1:]:
                take = max(0, min(int(need[name][index]), spare))
                assigned[free[:take]] = name
                free, spare = free[take:], spare - take
        self._repair(assigned, wanted)
        return assigned

    def _needs(self, fraction_of: dict[str, float]) -> dict[str, NDArray[np.int64]]:
        """(K,) images per class that each split should get."""
        need = {}
        for least, (name, part) in enumerate(fraction_of.items(), start=2):
            need[name] = _apportioned(self.counts, part)
            if part > 0:
                need[name] = np.maximum(need[name], self.counts >= least)
        total = self.counts.sum()
        most = {name: max(_FEWEST, math.ceil(_EXCESS * total * part)) for name, part in fraction_of.items()}
        return need if all(need[name].sum() <= most[name] for name in need) else self._scarce_needs(fraction_of)

    def _scarce_needs(self, fraction_of: dict[str, float]) -> dict[str, NDArray[np.int64]]:
        """As `_needs` for many small classes: the sums are kept, and chance decides which classes have no image."""
        chance = np.full(self.classes, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(chance, self.targets, self.keys)
        taken = np.zeros(self.classes, np.int64)
        need, share = {}, 0.0
        for name, part in fraction_of.items():
            share += part
            count = max(_FEWEST, round(self.counts.sum() * part)) if part > 0 else 0
            exact = np.where(self.counts - taken > 1, np.maximum(self.counts * share - taken, 0), 0)
            whole = np.floor(exact + 1e-9).astype(np.int64)
            rest = np.lexsort((chance, -np.round(exact - whole, 9)))
            rest = rest[(exact > 0)[rest]][: max(0, count - int(whole.sum()))]
            whole[rest] += 1
            need[name] = whole if count else np.zeros_like(whole)
            taken = taken + need[name]
        return need

    def _place_groups(
        self, assigned: NDArray[np.str_], need: dict[str, NDArray[np.int64]], grouped: NDArray[np.bool_]
    ) -> None:
        """Assign whole groups, largest first, to the split that lacks most of them; changes `assigned` and `need`."""
        target = {"train": self.counts - sum(need.values()), **{name: n.copy() for name, n in need.items()}}
        missing = {name: n.astype(float) for name, n in target.items()}
        for rows in _members(self.unit, self.order[grouped[self.order]]):
            counts = np.bincount(self.targets[rows], minlength=self.classes)
            some = counts > 0
            best, best_score = "train", -1.0
            for name in SPLITS:
                if name != "train" and (counts[some] > missing[name][some]).any():
                    continue
                score = float((counts[some] * missing[name][some] / np.maximum(target[name][some], 1)).sum())
                if score > best_score + 1e-9:
                    best, best_score = name, score
            assigned[rows] = best
            missing[best] -= counts
        for name in need:
            need[name][:] = np.maximum(missing[name], 0)

    def _repair(self, assigned: NDArray[np.str_], wanted: dict[str, NDArray[np.bool_]]) -> None:
        """If no group fitted, move the smallest one from train into a split that lacks a class that it should have."""
        for name, classes in wanted.items():
            for index in np.flatnonzero(classes):
                of_class = self.targets == index
                if of_class.any() and not (of_class & (assigned == name)).any():
                    self._move_smallest(assigned, name, of_class)

    def _move_smallest(self, assigned: NDArray[np.str_], name: str, of_class: NDArray[np.bool_]) -> None:
        left = np.bincount(self.targets[assigned == "train"], minlength=self.classes)
        for rows in reversed(
            _members(self.unit, self.order[(of_class & (assigned == "train"))[self.order]], whole=True)
        ):
            counts = np.bincount(self.targets[rows], minlength=self.classes)
            if (left[counts > 0] > counts[counts > 0]).all():
                assigned[rows] = name
                return


def _members(unit: NDArray[np.int64], rows: NDArray[np.int64], whole: bool = False) -> list[NDArray[np.int64]]:
    """The groups of `rows`, largest first, ties in the order of `rows`, each as its rows.

    `whole` returns complete groups, not only their members in `rows`.
    """
    groups: dict[int, list[int]] = {int(unit[i]): [] for i in rows}
    if whole:
        rows = np.flatnonzero(np.isin(unit, list(groups)))
    for i in rows:
        groups[int(unit[i])].append(int(i))
    return [np.array(members) for members in sorted(groups.values(), key=len, reverse=True)]


def _apportioned(counts: NDArray[np.int64], part: float) -> NDArray[np.int64]:
    """(K,) integers near `part` of each count that sum to `part` of the sum (largest remainder method)."""
    exact = counts * part
    whole: NDArray[np.int64] = np.floor(exact + 1e-9).astype(np.int64)
    extra = round(counts.sum() * part) - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[: max(0, extra)]] += 1
    return whole


def _keys(names: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """(P,) sort keys of the shuffle, independent of machine and library versions."""
    digests = (hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(b"".join(digests), "<u8")


def _leaks(
    dataset: Dataset, assigned: NDArray[np.str_], unit: NDArray[np.int64], groups: NDArray[np.int64] | None
) -> tuple[Leak, ...]:
    """One leak for every image whose group also occurs in an earlier split."""
    leaks = []
    rank = np.select([assigned == name for name in SPLITS], range(len(SPLITS)))
    firsts: dict[int, int] = {}
    order = np.lexsort((np.array(dataset.names), rank))
    for i in order:
        first = firsts.setdefault(int(unit[i]), int(i))
        if rank[first] != rank[i]:
            leaks.append(_leak(dataset, assigned, groups, first, int(i)))
    return tuple(leaks)


def _leak(
    dataset: Dataset, assigned: NDArray[np.str_], groups: NDArray[np.int64] | None, first: int, second: int
) -> Leak:
    duplicate = groups is not None and groups[first] == groups[second]
    return Leak(
        dataset.names[first],
        dataset.names[second],
        (str(assigned[first]), str(assigned[second])),
        "duplicate" if duplicate else "group",
    )

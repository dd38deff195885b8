"""Stratified train/validation/test splits without leaks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from convscope.datasets.dataset import Dataset
from convscope.datasets.split import Leak, split
from convscope.errors import ConfigError, DataError

Labelled = Callable[..., Dataset]


def table(dataset: Dataset, role: np.ndarray) -> dict[int, tuple[int, int, int]]:
    """Class -> images in train, validation and test."""
    return {
        int(k): tuple(int(((dataset.targets == k) & (role == name)).sum()) for name in ("train", "validation", "test"))
        for k in np.unique(dataset.targets)
    }


def crossing(unit: np.ndarray, role: np.ndarray) -> list[int]:
    return [int(u) for u in np.unique(unit) if len(set(role[unit == u].tolist())) > 1]


def test_a_thousand_images_are_split_800_100_100_and_80_10_10_in_each_class(labelled: Labelled) -> None:
    dataset = labelled([k for k in range(10) for _ in range(100)])
    assert table(dataset, split(dataset, seed=3).split) == dict.fromkeys(range(10), (80, 10, 10))


@pytest.mark.parametrize("seed", range(5))
def test_uneven_classes_are_split_to_within_one_image(labelled: Labelled, seed: int) -> None:
    counts = np.random.default_rng(seed).multinomial(1000, np.full(10, 0.1))
    dataset = labelled(np.repeat(np.arange(10), counts).tolist())
    found = table(dataset, split(dataset, seed=seed).split)
    for k, count in enumerate(counts):
        assert abs(found[k][1] - count / 10) <= 1
        assert abs(found[k][2] - count / 10) <= 1
    assert tuple(np.sum(list(found.values()), axis=0)) == (800, 100, 100)


def test_small_classes_fill_train_first_then_validation_then_test(labelled: Labelled) -> None:
    dataset = labelled([0] + [1] * 2 + [2] * 3 + [3] * 4 + [4] * 90)
    assert table(dataset, split(dataset).split) == {
        0: (1, 0, 0),
        1: (1, 1, 0),
        2: (1, 1, 1),
        3: (2, 1, 1),
        4: (72, 9, 9),
    }


@pytest.mark.parametrize(
    ("classes", "images", "counts"),
    [(60, 3, (144, 18, 18)), (10, 2, (16, 2, 2)), (5, 4, (16, 2, 2)), (200, 5, (800, 100, 100))],
)
def test_many_small_classes_keep_the_fractions(
    labelled: Labelled, classes: int, images: int, counts: tuple[int, int, int]
) -> None:
    dataset = labelled([0])
    targets = np.repeat(np.arange(classes), images)
    names = tuple(f"{i:04d}" for i in range(len(targets)))
    dataset = replace(
        dataset, targets=targets, names=names, classes=tuple(map(str, range(classes))), splits=np.full(len(names), "")
    )
    found = split(dataset).split
    assert tuple(int((found == name).sum()) for name in ("train", "validation", "test")) == counts
    assert set(targets[found == "train"]) == set(range(classes))
    held_out = np.bincount(targets[found != "train"], minlength=classes)
    assert held_out.max() - held_out.min() <= 1, "no class gives more than another"
    assert set(targets[found == "validation"]) != set(range(int(counts[1]))), "not the first classes"


def test_a_few_rare_classes_among_many_images_are_in_every_split(labelled: Labelled) -> None:
    dataset = labelled([0] * 150 + [1] * 3)
    assert table(dataset, split(dataset).split) == {0: (120, 15, 15), 1: (1, 1, 1)}


@pytest.mark.parametrize(
    ("images", "counts"), [(30, (24, 3, 3)), (10, (8, 1, 1)), (57, (45, 6, 6)), (300, (240, 30, 30))]
)
def test_numbers_are_split_by_the_fractions(labelled: Labelled, images: int, counts: tuple[int, int, int]) -> None:
    ages = np.random.default_rng(0).integers(20, 80, images).astype(np.float32)[:, None]
    dataset = replace(labelled([0] * images), target_kind="numbers", targets=ages, classes=("age",))
    found = Counter(split(dataset).split.tolist())
    assert (found["train"], found["validation"], found["test"]) == counts


def test_the_same_seed_gives_the_same_split_in_any_order_of_files(labelled: Labelled) -> None:
    random = np.random.default_rng(0)
    names = [f"n{i}" for i in range(300)]
    targets = random.integers(0, 3, 300)
    groups = random.integers(0, 250, 300)
    order = random.permutation(300)
    first = labelled(targets.tolist(), names=names)
    second = labelled(targets[order].tolist(), names=[names[i] for i in order])
    one = dict(zip(first.names, split(first, groups, 7).split.tolist(), strict=True))
    two = dict(zip(second.names, split(second, groups[order] + 1000, 7).split.tolist(), strict=True))
    assert one == two
    assert one == dict(zip(first.names, split(first, groups, 7).split.tolist(), strict=True))
    assert one != dict(zip(first.names, split(first, groups, 8).split.tolist(), strict=True))


def test_the_split_of_ten_names_never_changes(labelled: Labelled) -> None:
    """A fixed expected value: a changed shuffle would silently change every user's split."""
    dataset = labelled([0] * 10, names=[f"cat/{i}.jpg" for i in range(10)])
    role = split(dataset, seed=0).split.tolist()
    assert {role.index("validation"), role.index("test")} == {PUBLISHED_VALIDATION, PUBLISHED_TEST}
    assert role[PUBLISHED_VALIDATION] == "validation"


PUBLISHED_VALIDATION, PUBLISHED_TEST = 3, 5


def test_every_class_keeps_an_image_in_train_however_small_its_share(labelled: Labelled) -> None:
    dataset = labelled([0] + [1] * 2 + [2] * 3 + [3] * 5 + [4] * 40)
    found = table(dataset, split(dataset, fractions=(0.02, 0.49, 0.49)).split)
    assert found[0] == (1, 0, 0)
    assert all(counts[0] >= 1 for counts in found.values())


@pytest.mark.parametrize("seed", range(10))
def test_duplicates_and_groups_stay_in_one_split(labelled: Labelled, seed: int) -> None:
    random = np.random.default_rng(seed)
    targets = random.integers(0, 4, 400)
    duplicates = random.integers(0, 350, 400)
    groups = random.choice(["", "p", "q", "r", *(f"g{i}" for i in range(60))], 400)
    dataset = labelled(targets.tolist(), groups=groups.tolist())
    splits = split(dataset, duplicates, seed)
    assert crossing(duplicates, splits.split) == []
    assert [name for name in crossing(np.unique(groups, return_inverse=True)[1], splits.split) if name != 0] == []
    assert splits.leaks == ()


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_both_classes_are_split_about_80_10_10(labelled: Labelled, seed: int) -> None:
    random = np.random.default_rng(seed)
    patients = [f"p{i}" for i in range(40) for _ in range(20)]
    dataset = labelled(random.integers(0, 2, 800).tolist(), groups=patients)
    counts = Counter(split(dataset, seed=seed).split.tolist())
    assert counts["train"] == pytest.approx(640, abs=25)
    assert counts["validation"] == pytest.approx(80, abs=25)
    assert counts["test"] == pytest.approx(80, abs=25)


def test_three_large_groups_are_one_per_split(labelled: Labelled) -> None:
    dataset = labelled([0, 1] * 150, groups=[f"g{i}" for i in range(3) for _ in range(100)])
    counts = Counter(split(dataset).split.tolist())
    assert counts == {"train": 100, "validation": 100, "test": 100}


def test_one_group_alone_stays_whole_in_train(labelled: Labelled) -> None:
    dataset = labelled([0, 1] * 10, groups=["g"] * 20)
    assert set(split(dataset).split.tolist()) == {"train"}


def test_a_chain_of_duplicates_and_groups_is_kept_together(labelled: Labelled) -> None:
    # 0 and 1 are duplicates, 1 and 2 one patient, 2 and 3 duplicates
    groups = ["", "p", "p", "", *([""] * 36)]
    dataset = labelled([0] * 40, groups=groups)
    duplicates = np.arange(40)
    duplicates[1], duplicates[3] = 0, 2
    for seed in range(20):
        assert len(set(split(dataset, duplicates, seed).split[:4].tolist())) == 1


def test_missing_splits_are_taken_from_train_and_given_ones_are_kept(labelled: Labelled) -> None:
    given = ["train"] * 100 + ["test"] * 50
    dataset = labelled([0, 1] * 75, splits=given)
    role = split(dataset).split
    assert (role[100:] == "test").all()
    assert Counter(role[:100].tolist()) == {"train": 90, "validation": 10}
    dataset = labelled([0, 1] * 75, splits=["train"] * 100 + ["validation"] * 50)
    role = split(dataset).split
    assert (role[100:] == "validation").all()
    assert Counter(role[:100].tolist()) == {"train": 90, "test": 10}
    dataset = labelled([0, 1] * 75, splits=["train"] * 100 + ["validation"] * 25 + ["test"] * 25)
    assert (split(dataset).split == dataset.splits).all()
    dataset = labelled([0, 1] * 50, splits=["train"] * 100)
    assert Counter(split(dataset).split.tolist()) == {"train": 80, "validation": 10, "test": 10}


def test_rows_without_a_split_are_added_to_train(labelled: Labelled) -> None:
    dataset = labelled([0, 1] * 30, splits=["train"] * 20 + [""] * 20 + ["validation"] * 10 + ["test"] * 10)
    assert Counter(split(dataset).split.tolist()) == {"train": 40, "validation": 10, "test": 10}


def test_leaks_of_a_given_split_are_reported_and_not_moved(labelled: Labelled) -> None:
    given = ["train"] * 4 + ["validation"] * 2 + ["test"] * 3
    names = ["train/a", "train/b", "train/c", "train/d", "val/e", "val/f", "test/g", "test/h", "test/i"]
    duplicates = np.array([0, 1, 2, 3, 1, 5, 1, 5, 8])  # b = e = g, f = h
    groups = ["p", "", "", "", "", "", "", "", "p"]
    dataset = labelled([0, 1, 0, 1, 0, 1, 0, 1, 0], splits=given, groups=groups, names=names)
    splits = split(dataset, duplicates)
    assert splits.split.tolist() == given
    assert splits.leaks == (
        Leak("train/b", "val/e", ("train", "validation"), "duplicate"),
        Leak("train/b", "test/g", ("train", "test"), "duplicate"),
        Leak("val/f", "test/h", ("validation", "test"), "duplicate"),
        Leak("train/a", "test/i", ("train", "test"), "group"),
    )
    assert splits.indices("validation").tolist() == [4, 5]


def test_fractions_may_be_chosen_and_may_be_zero(labelled: Labelled) -> None:
    dataset = labelled([0, 1] * 50)
    assert Counter(split(dataset, fractions=(0.5, 0.3, 0.2)).split.tolist()) == {
        "train": 50,
        "validation": 30,
        "test": 20,
    }
    assert Counter(split(dataset, fractions=(0.9, 0.1, 0.0)).split.tolist()) == {"train": 90, "validation": 10}


def test_data_without_training_images_are_rejected(labelled: Labelled) -> None:
    with pytest.raises(DataError) as raised:
        split(labelled([0, 1], splits=["test", "validation"]))
    assert str(raised.value) == "made: no image is in train, all are in validation and test; add a train split"


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5)])
def test_invalid_fractions_are_rejected(labelled: Labelled, fractions: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError) as raised:
        split(labelled([0, 1]), fractions=fractions)
    assert str(raised.value) == (
        f"split: fractions {fractions} are not valid proportions of train, validation and test; "
        "give three that sum to 1, train more than 0"
    )

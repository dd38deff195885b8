"""Contract suite for every kind of target, on the drawn shapes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from convscope.datasets import TARGET_KINDS, drop_unreadable
from convscope.datasets.split import split
from convscope.errors import DataError
from convscope.layouts import shapes

N = 60


@pytest.fixture(params=TARGET_KINDS, ids=str)
def dataset(request):
    return shapes(count=N, target_kind=request.param)


def values_of(dataset):
    decoded, unreadable = dataset.kind.decode(dataset, (32, 32))
    assert unreadable == {}
    return dataset.kind.in_view(dataset, (32, 32)) if decoded is None else decoded


def test_a_task_is_registered_by_its_name(dataset):
    assert TARGET_KINDS[dataset.kind.name] is dataset.kind


def test_every_image_has_one_of_its_strata(dataset):
    strata, count = dataset.strata()
    assert strata.shape == (N,)
    assert strata.dtype == np.int64
    assert 0 <= strata.min() <= strata.max() < count


def test_a_split_by_its_strata_has_three_parts(dataset):
    assert set(split(dataset, seed=1).split) == {"train", "validation", "test"}


def test_there_is_a_count_for_each_name_and_counts_of_parts_add_up(dataset):
    first = np.arange(N) < N // 2
    counts = dataset.counts(np.ones(N, bool))
    assert counts.shape == (len(dataset.classes),)
    assert (dataset.counts(first) + dataset.counts(~first) == counts).all()


def test_the_targets_of_a_run_are_restored(dataset):
    assert np.array_equal(dataset.kind.restore(dataset, dataset.classes), dataset.targets)


def test_a_run_whose_names_are_missing_is_rejected(dataset):
    with pytest.raises(DataError) as caught:
        dataset.kind.restore(dataset, ("elsewhere",))
    names = ", ".join(dataset.classes)
    columns = f"shapes: the {dataset.kind.name} were elsewhere when the run began and are {names} now"
    label = f"shapes: the label {min(dataset.classes)} is new; the run was started with elsewhere"
    result = {f"{columns}; restore them or train again", f"{label}; correct the label or train again"}
    assert str(caught.value) in result


def test_targets_in_view_have_a_row_for_each_image(dataset):
    assert len(values_of(dataset)) == N


def test_image_classes_are_classes_or_none(dataset):
    found = dataset.kind.image_classes(values_of(dataset), len(dataset.classes))
    assert found.shape == (N,)
    assert -1 <= found.min() <= found.max() < len(dataset.classes)


def test_only_spatial_targets_have_object_masks(dataset):
    masks = dataset.kind.object_masks(values_of(dataset), np.arange(N), (32, 32))
    assert (masks is not None) == dataset.kind.spatial
    assert masks is None or (masks.shape, masks.dtype) == ((N, 32, 32), np.uint8)


def test_only_spatial_targets_are_transformed_with_the_image(dataset):
    class Motion:
        def warp_masks(self, y):
            return y + 1

        warp_boxes = warp_masks

    y = torch.zeros(2, 5)
    assert bool((dataset.kind.warp(y, Motion()) != y).any()) == dataset.kind.spatial


def test_it_converts_compatible_targets_only(dataset):
    plain = shapes(count=N)
    found = dataset.kind.convert(plain.kind, plain.targets, len(plain.classes))
    assert found is None or (len(found) == N and np.array_equal(found.argmax(1), plain.targets))


def test_images_that_cannot_be_read_are_listed_as_skipped(dataset):
    left = drop_unreadable(dataset, {3: "damaged"})
    assert len(left) == N - 1
    assert [(skipped.name, skipped.why) for skipped in left.skipped] == [("shapes/0003", "damaged")]


def test_the_fingerprint_depends_on_the_targets(dataset):
    other = dataset.targets.copy()
    other[0] = other[0] + 1
    assert replace(dataset, targets=other).fingerprint() != dataset.fingerprint()

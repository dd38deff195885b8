"""Real photographs, from files to batches."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.datasets.batches import Batches, BatchSettings
from convscope.datasets.class_checks import drop_unreadable
from convscope.datasets.duplicates import find_duplicates
from convscope.datasets.inputs.fitting import fit
from convscope.datasets.split import split
from convscope.datasets.statistics import channel_statistics, summarise
from convscope.datasets.store.store import build_store
from convscope.layouts.recognise import open_data

Shared = Callable[[str], Path]


def test_the_built_in_digits_are_read_up_to_batches() -> None:
    dataset = open_data("digits")
    store = build_store(dataset, (8, 8))
    dataset = drop_unreadable(dataset, store.unreadable)
    splits = split(dataset, find_duplicates(store.pixels, store.readable).groups, seed=0)
    assert [len(splits.indices(role)) for role in ("train", "validation", "test")] == [1437, 180, 180]
    mean, deviation = channel_statistics(store.pixels, splits.indices("train"))
    settings = BatchSettings(mean=tuple(mean), std=tuple(deviation), policy="standard", mirror=False, shuffle=True)
    x, y = next(Batches(store.pixels, dataset.targets, splits.indices("train"), settings)(0))
    assert x.shape == (128, 1, 8, 8)
    assert y.dtype == torch.int64


def test_ants_and_bees_keep_their_split_and_get_a_test_set(shared_data: Shared) -> None:
    dataset = open_data(shared_data("hymenoptera"))
    store = build_store(dataset, (64, 64))
    assert store.unreadable == {}
    splits = split(dataset, find_duplicates(store.pixels).groups, seed=0)
    assert splits.leaks == ()
    summary = summarise(dataset, splits.split)
    assert summary.counts == {"train": (112, 109), "validation": (70, 83), "test": (12, 12)}
    assert summary.modes == {"RGB": 397, "palette": 1}
    assert summary.channels == 3


@pytest.mark.slow
def test_the_leak_in_the_steel_data_is_reported(shared_data: Shared) -> None:
    dataset = open_data(shared_data("steel"))
    splits = split(dataset, find_duplicates(build_store(dataset, (64, 64)).pixels).groups)
    assert [(leak.splits, leak.why) for leak in splits.leaks] == [(("train", "test"), "duplicate")]


def test_compressed_copies_of_photographs_are_found(shared_data: Shared) -> None:
    dataset = open_data(shared_data("catdog"))
    dataset = dataset.subset(np.arange(0, len(dataset), 5))
    pixels = build_store(dataset, (96, 96)).pixels
    copies = []
    for image in pixels[:60]:
        file = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).resize((77, 77)).save(file, "JPEG", quality=50)
        copies.append(fit(np.asarray(Image.open(file)), (77, 77), (96, 96)).transpose(2, 0, 1))
    found = find_duplicates(np.concatenate([pixels, np.stack(copies)]))
    assert found.groups.tolist() == [*range(300), *range(60)]


@pytest.mark.slow
def test_mirrored_photographs_are_copies(shared_data: Shared) -> None:
    pixels = build_store(open_data(shared_data("fruits") / "boxes.csv"), (96, 128)).pixels
    before = {pair[:2] for pair in find_duplicates(pixels).pairs}
    assert len(before) <= 2  # on white, an orange is taken for a copy of an apple
    found = find_duplicates(np.concatenate([pixels, pixels[::3, :, :, ::-1]]))
    copies = {pair[:2] for pair in found.pairs if pair[1] >= 300}
    assert copies >= {(3 * i, 300 + i) for i in range(100)}
    assert len(copies) <= 102


@pytest.mark.parametrize("name", ["fruits", "cards"])
def test_a_folder_with_tables_is_read_by_one_of_them_and_the_others_are_named(shared_data: Shared, name: str) -> None:
    folder = shared_data(name)
    found = open_data(folder)
    assert (found.layout, found.target_kind) == ("table-folder", "boxes")
    assert any("labels.csv" in note for note in found.notes)
    assert open_data(folder / "boxes.csv").target_kind == "boxes"
    assert open_data(folder / "labels.csv").target_kind == "labels"


@pytest.mark.slow
def test_real_masks_and_boxes_are_read(shared_data: Shared) -> None:
    people, cells, blood = (
        open_data(shared_data("human_seg")),
        open_data(shared_data("wbc_seg1")),
        open_data(shared_data("bccd")),
    )
    assert (people.target_kind, len(people), people.classes) == ("masks", 290, ("0", "1"))
    assert (cells.target_kind, len(cells), cells.classes) == ("masks", 300, ("0", "1", "2"))
    assert (blood.target_kind, blood.classes, len(blood) + len(blood.skipped)) == (
        "boxes",
        ("Platelets", "RBC", "WBC"),
        364,
    )
    assert blood.notes[0].endswith(
        "several objects, of which the largest is used; convscope crop makes an image of each; "
        "use a detector to find all of them"
    )


@pytest.mark.slow
def test_cifar_has_the_duplicates_that_were_counted(shared_data: Shared, tmp_path: Path) -> None:
    dataset = open_data(shared_data("cifar10_jpeg"))
    store = build_store(dataset, (32, 32), cache_folder=tmp_path)
    assert build_store(dataset, (32, 32), cache_folder=tmp_path).pixels.shape == (60_000, 3, 32, 32)
    found = find_duplicates(store.pixels)
    assert 600 < len(found.pairs) < 800
    assert np.bincount(found.groups).max() < 60
    splits = split(dataset, found.groups, seed=0)
    assert 140 < len(splits.leaks) < 200
    assert [len(splits.indices(role)) for role in ("train", "validation", "test")] == [45_000, 5_000, 10_000]
    assert {leak.splits[1] for leak in splits.leaks} == {"test"}


@pytest.mark.slow
def test_different_handwritten_ones_are_not_duplicates(shared_data: Shared) -> None:
    file = shared_data("mnist_idx") / "train-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    assert len(find_duplicates(pixels).pairs) <= 3

"""The store of decoded images, in memory or in the cache."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.datasets.batches import Batches, BatchSettings
from convscope.datasets.inputs.image import read_image
from convscope.datasets.store import cache
from convscope.datasets.store import resources as memory_of
from convscope.datasets.store.resources import available_memory, usable_cores
from convscope.datasets.store.store import StoreSettings, build_store
from convscope.layouts.builtin import digits
from convscope.layouts.folders.class_folders import read_folder

Save = Callable[..., Path]
KEEP = StoreSettings(worth_caching=0)


@pytest.fixture
def photos(tmp_path: Path, save: Save) -> Path:
    for i in range(70):
        save(tmp_path / "photos" / "ab"[i % 2] / f"{i}.png", seed=i)
    return tmp_path / "photos"


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def test_the_store_contains_the_images_of_read_image(mixed_folder: Path) -> None:
    dataset = read_folder(mixed_folder)
    store = build_store(dataset, (12, 10), threads=3)
    assert store.pixels.shape == (12, 3, 12, 10)
    assert store.pixels.dtype == np.uint8
    assert isinstance(dataset.images, tuple)
    for row in store.readable:
        assert (store.pixels[row] == read_image(dataset.images[row], 3, (12, 10), dataset.white[0])).all()
    assert store.unreadable == {
        dataset.names.index("two/truncated.jpg"): "damaged or truncated; copy it again or delete it"
    }
    assert len(store.readable) == 11
    assert store.location == "in memory, 12 images of 3 x 12 x 10 in 0.0 MB"
    assert not store.mapped


def test_a_built_in_dataset_is_stored_unchanged_or_resized() -> None:
    dataset = digits()
    assert isinstance(dataset.images, np.ndarray)
    assert (build_store(dataset, (8, 8)).pixels[:, 0] == dataset.images[..., 0]).all()
    assert build_store(dataset, (32, 32)).pixels.shape == (1797, 1, 32, 32)


def test_progress_is_reported_up_to_the_total(photos: Path) -> None:
    messages: list[tuple[int, int]] = []
    build_store(read_folder(photos), (4, 4), threads=2, on_progress=lambda done, of: messages.append((done, of)))
    assert messages == [*((done, 70) for done in range(9, 70, 9)), (70, 70)]


def test_a_second_run_memory_maps_the_images_decoded_by_the_first(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = read_folder(photos)
    folder = tmp_path / "kept"
    first = build_store(dataset, (4, 4), cache_folder=folder, settings=KEEP)
    assert first.location == f"in memory, 70 images of 3 x 4 x 4 in 0.0 MB, and in {folder} for the next run"
    monkeypatch.setattr("convscope.datasets.inputs.image_input.decode", None)
    second = build_store(read_folder(photos), (4, 4), cache_folder=folder)
    assert second.mapped
    assert (second.pixels == first.pixels).all()
    assert second.location == f"in {folder}, 70 images of 3 x 4 x 4 in 0.0 MB, where an earlier run decoded them"


def test_the_mapped_file_stays_as_it_is_when_pixels_are_written_to(photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    first = build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=KEEP)
    build_store(read_folder(photos), (4, 4), cache_folder=folder).pixels[:] = 0
    assert (build_store(read_folder(photos), (4, 4), cache_folder=folder).pixels == first.pixels).all()


def test_other_files_sizes_and_channels_are_decoded_again(photos: Path, tmp_path: Path, save: Save) -> None:
    folder = tmp_path / "kept"
    build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=KEEP)
    build_store(read_folder(photos), (5, 4), cache_folder=folder, settings=KEEP)
    save(photos / "a" / "0.png", seed=99)
    changed = build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=KEEP)
    assert not changed.mapped
    assert len(entries(folder)) == 3


def test_a_store_larger_than_memory_is_memory_mapped(
    mixed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convscope.datasets.store.store.available_memory", lambda: 1000)
    dataset = read_folder(mixed_folder)
    folder = tmp_path / "kept"
    store = build_store(dataset, (12, 10), cache_folder=folder)
    assert store.mapped
    assert (
        store.location == f"in {folder}, 12 images of 3 x 12 x 10 in 0.0 MB, more than fits in 50% of the free memory"
    )
    again = build_store(dataset, (12, 10), cache_folder=folder)
    assert again.unreadable == store.unreadable != {}
    assert len(entries(folder)) == 1


def test_a_store_that_fits_nowhere_is_decoded_every_epoch_and_reported(
    mixed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convscope.datasets.store.store.available_memory", lambda: 1000)
    dataset, folder = read_folder(mixed_folder), tmp_path / "kept"
    messages: list[tuple[int, int]] = []
    store = build_store(
        dataset, (12, 10), threads=2, cache_folder=folder, settings=StoreSettings(cache_limit=2000),
        on_progress=lambda done, of: messages.append((done, of)),
    )  # fmt: skip
    assert store.location == (
        f"not cached (12 images of 3 x 12 x 10 in 0.0 MB, more than fits in 50% of the free memory, and {folder} "
        "cannot take them (4,320 bytes are more than the cache may hold, 2,000)): images are decoded every epoch; "
        "set CONVSCOPE_CACHE to a larger disk to avoid this"
    )
    assert messages == [(done, 12) for done in range(2, 13, 2)]
    assert entries(folder) == []
    monkeypatch.undo()
    whole = build_store(dataset, (12, 10), cache_folder=folder)
    assert store.unreadable == whole.unreadable != {}
    assert store.pixels.shape == whole.pixels.shape
    assert len(store.pixels) == 12
    for key in (0, -1, slice(2, 5), np.array([7, 3, 3]), np.arange(12) % 2 == 0):
        assert (store.pixels[key] == whole.pixels[key]).all()


def test_batches_of_a_lazy_store_equal_those_of_a_decoded_one(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = read_folder(photos)
    whole = build_store(dataset, (4, 4))
    monkeypatch.setattr("convscope.datasets.store.store.available_memory", lambda: 1000)
    store = build_store(dataset, (4, 4), settings=StoreSettings(cache_limit=1))
    settings = BatchSettings(batch=16, mean=(0.5,) * 3, std=(0.2,) * 3, policy="light", shuffle=True)
    pairs = [Batches(s.pixels, dataset.targets, s.readable, settings)(3) for s in (store, whole)]
    for (x, y), (u, v) in zip(*pairs, strict=True):
        assert torch.equal(x, u)
        assert torch.equal(y, v)


def test_a_cache_that_cannot_be_written_stops_no_run_that_fits_in_memory(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = build_store(read_folder(photos), (4, 4), cache_folder=tmp_path / "file" / "kept", settings=KEEP)
    assert store.location.startswith("in memory, 70 images of 3 x 4 x 4 in 0.0 MB; not cached for the next run, as ")


def test_an_interrupted_run_leaves_nothing(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convscope.datasets.store.store.available_memory", lambda: 1000)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(read_folder(photos), (4, 4), cache_folder=tmp_path / "kept", on_progress=interrupt)
    assert entries(tmp_path / "kept") == []


def test_partial_stores_of_killed_runs_are_deleted_and_those_of_active_runs_are_not(
    photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    host = socket.gethostname()
    dead, alive, foreign, old = (
        f"k.{host}.999999999.aa.part",
        f"k.{host}.{os.getpid()}.aa.part",
        "k.elsewhere.1.aa.part",
        "k.elsewhere.2.aa.part",
    )
    for name in (dead, alive, foreign, old):
        (folder / name).mkdir(parents=True)
    os.utime(folder / old, (0, 0))
    build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=KEEP)
    assert len(entries(folder)) == 3
    assert {alive, foreign} <= set(entries(folder))


def test_the_least_recently_used_entry_is_deleted_first(photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    limit = StoreSettings(worth_caching=0, cache_limit=8000)  # two of some 3,500 bytes
    kept = []
    for width in (4, 4, 4):
        kept.append(entries(folder))
        build_store(read_folder(photos), (4, width), cache_folder=folder, settings=limit)
    first = entries(folder)
    build_store(read_folder(photos), (4, 3), cache_folder=folder, settings=limit)
    second = set(entries(folder)) - set(first)
    os.utime(folder / first[0], (1, 1))
    os.utime(folder / next(iter(second)), (2, 2))
    build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=limit)  # updates the time of the first
    build_store(read_folder(photos), (3, 4), cache_folder=folder, settings=limit)
    assert first[0] in entries(folder)
    assert not second & set(entries(folder))
    assert len(entries(folder)) == 2


def test_two_runs_that_write_the_same_entry_do_not_disturb_each_other(tmp_path: Path) -> None:
    shape = (2, 1, 2, 2)
    with cache.write_entry(tmp_path, "k", shape, 10_000) as (one, _):
        one[:] = 1
        with cache.write_entry(tmp_path, "k", shape, 10_000) as (two, _):
            two[:] = 1
    assert entries(tmp_path) == ["k"]
    loaded = cache.load(tmp_path, "k", shape)
    assert loaded is not None
    assert (loaded[0] == 1).all()


@pytest.mark.parametrize("damage", ["cut", "shape", "text", "list", "bit", "no checksums"])
def test_a_damaged_entry_is_not_used_and_is_deleted(photos: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "kept"
    whole = build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=KEEP)
    pixels = folder / entries(folder)[0] / "pixels.npy"
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:500])
    elif damage == "shape":
        np.save(pixels, np.zeros((3, 3), np.uint8))
    elif damage == "bit":
        content = bytearray(pixels.read_bytes())
        content[-7] ^= 4
        pixels.write_bytes(content)
    elif damage == "no checksums":
        (pixels.parent / "checksums.json").unlink()
    else:
        (pixels.parent / "unreadable.json").write_text("{" if damage == "text" else "[]")
    again = build_store(read_folder(photos), (4, 4), cache_folder=folder, settings=KEEP)
    assert not again.mapped
    assert (again.pixels == whole.pixels).all()
    assert build_store(read_folder(photos), (4, 4), cache_folder=folder).mapped


def test_the_folder_is_the_environments_or_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path))
    assert cache.default_folder() == tmp_path
    monkeypatch.delenv("CONVSCOPE_CACHE")
    assert cache.default_folder().name == "convscope"


def test_memory_and_cores_are_positive(tmp_path: Path) -> None:
    assert available_memory() > 0
    assert usable_cores() >= 1
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert memory_of._container(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_of._container(tmp_path) is None
    for limit, cores in (("100000 100000", 1), ("max 100000", usable_cores()), ("50000 100000", 1)):
        (tmp_path / "cpu.max").write_text(limit + "\n")
        assert usable_cores(tmp_path) == cores
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:      7 kB\n")
    assert memory_of._linux(tmp_path / "meminfo") == 7 * 1024

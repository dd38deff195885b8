"""Batches, epoch by epoch."""

import gc
import itertools
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convscope.datasets.augment.pipeline import POLICIES, Augment
from convscope.datasets.augment.policies import Policy
from convscope.datasets.batches import Batches, BatchSettings

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 3, 6, 5), dtype=np.uint8)
TARGETS = np.arange(50) % 4
ROWS = np.arange(10, 50)
PLAIN = BatchSettings(batch=16, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


class OnDemand:
    """Pixels that are decoded on access, as in `LazyStore`."""

    dtype, ndim, shape = PIXELS.dtype, PIXELS.ndim, PIXELS.shape

    def __len__(self) -> int:
        return len(PIXELS)

    def __getitem__(self, key: Any) -> Any:
        return PIXELS[key]


def helpers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("convscope-batches")]


def test_every_image_comes_once_in_order_and_normalised() -> None:
    batches = Batches(PIXELS, TARGETS, ROWS, PLAIN)
    found = list(batches(0))
    assert len(batches) == len(found) == 3
    assert [len(x) for x, _ in found] == [16, 16, 8]
    x, y = torch.cat([x for x, _ in found]), torch.cat([y for _, y in found])
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    expected = (PIXELS[ROWS] / 255 - np.reshape(PLAIN.mean, (3, 1, 1))) / np.reshape(PLAIN.std, (3, 1, 1))
    assert np.allclose(x.numpy(), expected, atol=1e-5)
    assert y.tolist() == TARGETS[ROWS].tolist()


def test_the_training_set_is_standard_after_normalising() -> None:
    from convscope.datasets.statistics import channel_statistics

    mean, deviation = channel_statistics(PIXELS, ROWS)
    settings = BatchSettings(mean=tuple(mean), std=tuple(deviation))
    x = torch.cat([x for x, _ in Batches(PIXELS, TARGETS, ROWS, settings)(0)])
    assert x.mean((0, 2, 3)).abs().max() < 1e-4
    assert (x.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-4


@pytest.mark.parametrize("policy", ["none", "light", "strong"])
def test_an_epoch_depends_only_on_the_seed_and_its_number(policy: str) -> None:
    settings = PLAIN.model_copy(update={"shuffle": True, "policy": policy})
    one, two = Batches(PIXELS, TARGETS, ROWS, settings), Batches(PIXELS, TARGETS, ROWS, settings)
    list(one(0))
    next(iter(one(1)))
    torch.rand(3)  # the global state has no effect
    for (x, y), (u, v) in zip(one(2), two(2), strict=True):
        assert torch.equal(x, u)
        assert torch.equal(y, v)
    assert any(not torch.equal(x, u) for (x, _), (u, _) in zip(one(2), one(3), strict=True))
    other = Batches(PIXELS, TARGETS, ROWS, settings.model_copy(update={"seed": 1}))
    assert any(not torch.equal(x, u) for (x, _), (u, _) in zip(one(2), other(2), strict=True))


@pytest.mark.parametrize("policy", ["light", "strong"])
def test_every_epoch_and_every_batch_is_augmented_differently(policy: str) -> None:
    same = np.repeat(PIXELS[:1], 48, axis=0)
    batches = Batches(same, np.zeros(48, np.int64), np.arange(48), PLAIN.model_copy(update={"policy": policy}))
    found = [x for epoch in (0, 1) for x, _ in batches(epoch)]
    assert not any(torch.equal(x, u) for i, x in enumerate(found) for u in found[:i])


@pytest.mark.parametrize("alternate", [True, False])
def test_mirroring_alternates_by_epoch_or_is_random(alternate: bool) -> None:
    ramp = np.array(np.broadcast_to(np.arange(5, dtype=np.uint8), (48, 1, 6, 5)))
    settings = BatchSettings(batch=16, mean=(0.0,), std=(1 / 255,), policy=Policy(noise=1e-9), alternate=alternate)
    batches = Batches(ramp, np.zeros(48, np.int64), np.arange(48), settings)
    mirrored = [torch.cat([x[:, 0, 0, 0] > 2 for x, _ in batches(epoch)]) for epoch in range(4)]
    assert all(10 < int(now.sum()) < 38 for now in mirrored)
    alternates = [bool((now ^ then).all()) for now, then in itertools.pairwise(mirrored)]
    assert alternates == [alternate] * 3


def test_plain_batches_hold_every_image_once_as_it_is() -> None:
    settings = PLAIN.model_copy(update={"policy": "strong", "balanced": True, "mix": "mixup", "kinds": 4})
    plain = torch.cat([x for x, _ in Batches(PIXELS, TARGETS, ROWS, settings).single_pass(shuffle=True)(0)])
    expected = torch.cat([x for x, _ in Batches(PIXELS, TARGETS, ROWS, PLAIN)(0)])
    assert sorted(plain.flatten(1).sum(1).tolist()) == pytest.approx(
        sorted(expected.flatten(1).sum(1).tolist()), abs=1e-4
    )


def test_shuffled_images_keep_their_targets() -> None:
    marked = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    settings = BatchSettings(batch=20, mean=(0.0,), std=(1 / 255,), shuffle=True)
    for x, y in Batches(marked, np.arange(50), ROWS, settings)(5):
        assert x.flatten().round().long().tolist() == y.tolist()


@pytest.mark.parametrize(
    ("images", "shuffle", "sizes"),
    [
        (40, True, [16, 16, 8]),
        (39, True, [16, 16]),
        (39, False, [16, 16, 7]),
        (7, True, [7]),
        (1, True, [1]),
        (0, True, []),
    ],
)
def test_an_incomplete_last_batch_is_dropped_in_training_only(images: int, shuffle: bool, sizes: list[int]) -> None:
    batches = Batches(PIXELS, TARGETS, ROWS[:images], PLAIN.model_copy(update={"shuffle": shuffle}))
    assert [len(x) for x, _ in batches(0)] == sizes
    assert len(batches) == len(sizes)


@pytest.mark.parametrize(("images", "batch"), [(5, 2), (17, 16), (9, 4)])
def test_a_last_batch_of_one_image_is_dropped_so_that_batch_norm_can_train(images: int, batch: int) -> None:
    settings = PLAIN.model_copy(update={"shuffle": True, "batch": batch})
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.BatchNorm2d(3)).train()
    sizes = [len(x) for x, _ in Batches(PIXELS, TARGETS, ROWS[:images], settings)(0) if network(x).isfinite().all()]
    assert sizes == [batch] * (images // batch)
    assert [len(x) for x, _ in Batches(PIXELS, TARGETS, ROWS[:images], settings).single_pass()(0)][-1] == 1


def test_balanced_batches_hold_every_class_equally_often() -> None:
    targets = np.array([0] * 900 + [1] * 90 + [2] * 10)
    pixels = np.zeros((1000, 1, 1, 1), np.uint8)
    settings = BatchSettings(batch=100, mean=(0.0,), std=(1.0,), balanced=True)
    batches = Batches(pixels, targets, np.arange(1000), settings)
    counts = torch.bincount(torch.cat([y for epoch in range(3) for _, y in batches(epoch)]))
    assert len(batches) == 10
    assert all(abs(count - 1000) < 110 for count in counts.tolist())  # four standard deviations of 3,000 draws


def test_channels_last_changes_only_the_memory_format() -> None:
    plain = next(iter(Batches(PIXELS, TARGETS, ROWS, PLAIN)(0)))[0]
    last = next(iter(Batches(PIXELS, TARGETS, ROWS, PLAIN.model_copy(update={"channels_last": True}))(0)))[0]
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(plain, last)


def test_a_memory_map_is_read_like_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="c")
    for (x, _), (u, _) in zip(
        Batches(mapped, TARGETS, ROWS, PLAIN)(0), Batches(PIXELS, TARGETS, ROWS, PLAIN)(0), strict=True
    ):
        assert torch.equal(x, u)


def test_decoded_pixels_on_a_cpu_need_no_thread() -> None:
    running = Batches(PIXELS, TARGETS, ROWS, PLAIN)(0)
    next(running)
    assert helpers() == []


def test_prefetching_gives_the_same_batches() -> None:
    for (x, _), (u, _) in zip(
        Batches(OnDemand(), TARGETS, ROWS, PLAIN)(0), Batches(PIXELS, TARGETS, ROWS, PLAIN)(0), strict=True
    ):
        assert torch.equal(x, u)


def test_the_thread_stops_when_the_epoch_ends_or_its_iterator_is_closed_or_deleted() -> None:
    batches = Batches(OnDemand(), TARGETS, ROWS, PLAIN)
    list(batches(0))
    assert helpers() == []
    for _ in batches(0):
        break
    gc.collect()
    assert helpers() == []
    running = batches(0)
    next(running)
    assert len(helpers()) == 1
    running.close()  # type: ignore[attr-defined]
    assert helpers() == []


def test_an_error_while_preparing_reaches_the_consumer_and_ends_the_thread() -> None:
    class Failing(Augment):
        calls = 0

        def augment_pair(self, x, y, target_kind, generator, mirror=None):
            Failing.calls += 1
            if Failing.calls == 2:
                raise ValueError("planted")
            return super().augment_pair(x, y, target_kind, generator, mirror)

    batches = Batches(OnDemand(), TARGETS, ROWS, PLAIN)
    batches._augment = Failing(POLICIES["none"], mirror=False)
    running = batches(0)
    next(running)
    with pytest.raises(ValueError, match="planted"):
        next(running)
    assert helpers() == []


def test_an_error_in_the_consumer_ends_the_thread() -> None:
    def consume() -> None:
        for _ in Batches(OnDemand(), TARGETS, ROWS, PLAIN)(0):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        consume()
    gc.collect()
    assert helpers() == []


def test_targets_of_other_tasks_are_returned_unchanged() -> None:
    several = np.random.default_rng(0).random((50, 7)).astype(np.float32)
    _, y = next(iter(Batches(PIXELS, several, ROWS, PLAIN)(0)))
    assert torch.equal(y, torch.from_numpy(several[10:26]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("policy", ["none", "light", "strong"])
def test_batches_on_a_gpu_equal_those_on_the_cpu(policy: str) -> None:
    settings = PLAIN.model_copy(update={"shuffle": True, "policy": policy})
    there = Batches(PIXELS, TARGETS, ROWS, settings.model_copy(update={"device": "cuda"}))
    for (x, y), (u, v) in zip(Batches(PIXELS, TARGETS, ROWS, settings)(1), there(1), strict=True):
        assert u.is_cuda
        assert torch.allclose(x, u.cpu(), atol=1e-4)
        assert torch.equal(y, v.cpu())

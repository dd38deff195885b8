"""What the frozen part of a network makes of every image, computed once and given out as batches."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convscope.data.batches import Batches, generator_for
from convscope.data.store import cache
from convscope.data.store.resources import available_memory
from convscope.data.store.store import StoreSettings

RAM_FRACTION = 0.25  # of the free memory that features may take; the images want theirs too


@dataclass(frozen=True, eq=False)
class Features:
    """V views of N images as a network's frozen part leaves them, and what is to be answered for each."""

    x: Tensor
    """(V, N, ...) float32."""
    y: Tensor
    """(N, ...)"""
    seconds: float
    """It took to compute them; 0 where an earlier run had."""

    @property
    def images(self) -> int:
        """How many images went through the frozen part."""
        return self.x.shape[0] * self.x.shape[1]


class FeatureBatches:
    """Batches of features in the order in which `images` gives its images; each image by one of its views, at random.

    Order and views depend on (seed, epoch) alone.
    """

    def __init__(self, images: Batches, features: Features) -> None:
        self.images, self.features = images, features

    def __len__(self) -> int:
        """Batches per epoch."""
        return len(self.images)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The epoch's batches, x (B, ...) float32 and y (B, ...), on the device of the images' batches."""
        order, settings = self.images.order(epoch), self.images.settings
        views, device = self.features.x.shape[0], self.images.device
        view = torch.randint(views, (len(order),), generator=generator_for(settings.seed, epoch, views))
        for number in range(len(self)):
            part = slice(number * settings.batch, (number + 1) * settings.batch)
            yield (
                self.features.x[view[part], order[part]].to(device),
                self.features.y[order[part]].to(device),
            )


def max_views_in_memory(images: int, example: Tensor) -> int:
    """How many views of `images` images fit in memory, where each is like `example`, without its batch."""
    return int(RAM_FRACTION * available_memory()) // max(1, images * example.numel() * 4)


def compute_features(
    views: Sequence[Batches],
    frozen: Callable[[Tensor], Tensor],
    cache_key: str,
    out_of_time: Callable[[], bool] = lambda: False,
    folder: Path | None = None,
    settings: StoreSettings = StoreSettings(),  # noqa: B008  (frozen)
) -> Features:
    """Put every image through the frozen part, once for each view; kept on disk where it took long.

    Args:
        views: the images' batches in order, for each view; view v is taken as it is in epoch v.
        frozen: x (B, C, H, W) -> features (B, ...); without chance.
        cache_key: all that the features depend on, in words: the weights, the images, how they are changed.
        out_of_time: asked after each view; true means that the views made so far have to do.
        folder: of the cache; None: `cache.default_folder`.
        settings: what is worth keeping.
    """
    folder, targets = folder or cache.default_folder(), views[0].targets
    key = hashlib.blake2b(f"features {cache_key}".encode(), digest_size=12).hexdigest()
    earlier = cache.load(folder, key, None, np.float32)
    if earlier is not None and earlier[0].shape[:2] == (len(views), len(targets)):
        return Features(torch.from_numpy(earlier[0]), targets, 0.0)
    began = time.monotonic()
    made = _forward_views(views, frozen, out_of_time)
    took = time.monotonic() - began
    if took > settings.worth_caching and len(made) == len(views):
        shape = tuple(made.shape)
        with suppress(OSError), cache.write_entry(folder, key, shape, settings.cache_limit, np.float32) as (kept, _):
            kept[:] = made.numpy()
    return Features(made, targets, took)


@torch.no_grad()
def _forward_views(
    views: Sequence[Batches], frozen: Callable[[Tensor], Tensor], out_of_time: Callable[[], bool]
) -> Tensor:
    made: Tensor | None = None
    for view, batches in enumerate(views):
        done = 0
        for x, _ in batches(view):
            some = frozen(x).float().cpu()
            if made is None:
                made = torch.empty(len(views), len(batches.targets), *some.shape[1:])
            made[view, done : done + len(some)] = some
            done += len(some)
        if out_of_time():
            break
    assert made is not None  # a set without images is refused before
    return made[: view + 1]

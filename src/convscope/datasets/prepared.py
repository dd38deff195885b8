"""Features of the frozen part of a network, computed once per image and returned as batches."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convscope.datasets.batches import Batches, generator_for
from convscope.datasets.store import cache
from convscope.datasets.store.resources import available_memory
from convscope.datasets.store.store import StoreSettings

RAM_FRACTION = 0.25  # of the free memory that features may take; the rest is for images


@dataclass(frozen=True, eq=False)
class Features:
    """The features of V views of N images, and the targets of the images."""

    x: Tensor
    """(V, N, ...) float32."""
    y: Tensor
    """(N, ...)"""
    seconds: float
    """Time to compute them; 0 if they were cached."""

    @property
    def images(self) -> int:
        """Number of images and views that were computed."""
        return self.x.shape[0] * self.x.shape[1]


class FeatureBatches:
    """Batches of features in the order of `images`, with a random view of each image.

    Order and views depend on (seed, epoch) only.
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
    """How many views of `images` images fit in memory, if the features of one image have the shape of `example`."""
    return int(RAM_FRACTION * available_memory()) // max(1, images * example.numel() * 4)


def compute_features(
    views: Sequence[Batches],
    frozen: Callable[[Tensor], Tensor],
    cache_key: str,
    out_of_time: Callable[[int, int], bool] = lambda _view, _done: False,
    folder: Path | None = None,
    settings: StoreSettings = StoreSettings(),  # noqa: B008  (frozen)
) -> Features:
    """Compute the features of every image, once per view; cached on disk if it took long.

    Args:
        views: the batches of each view, in order; view v uses epoch v.
        frozen: x (B, C, H, W) -> features (B, ...); deterministic.
        cache_key: identifies all that the features depend on: weights, images and augmentation.
        out_of_time: called after each batch with (view, images done); true stops. Features of the complete views are
            returned, or within the first view those of its first images, so that `Features.x` has fewer than N.
        folder: cache folder; None: `cache.default_folder`.
        settings: when features are cached.
    """
    folder, targets = folder or cache.default_folder(), views[0].targets
    key = hashlib.blake2b(f"features {cache_key}".encode(), digest_size=12).hexdigest()
    existing = cache.load(folder, key, None, np.float32)
    if existing is not None and existing[0].shape[:2] == (len(views), len(targets)):
        return Features(torch.from_numpy(existing[0]), targets, 0.0)
    start = time.monotonic()
    features = _forward_views(views, frozen, out_of_time)
    seconds = time.monotonic() - start
    complete = features.shape[:2] == (len(views), len(targets))
    if seconds > settings.worth_caching and complete:
        shape = tuple(features.shape)
        with suppress(OSError), cache.write_entry(folder, key, shape, settings.cache_limit, np.float32) as (cached, _):
            cached[:] = features.numpy()
    return Features(features, targets[: features.shape[1]], seconds)


@torch.no_grad()
def _forward_views(
    views: Sequence[Batches], frozen: Callable[[Tensor], Tensor], out_of_time: Callable[[int, int], bool]
) -> Tensor:
    features: Tensor | None = None
    for view, batches in enumerate(views):
        done = 0
        for x, _ in batches(view):
            batch = frozen(x).float().cpu()
            if features is None:
                features = torch.empty(len(views), len(batches.targets), *batch.shape[1:])
            features[view, done : done + len(batch)] = batch
            done += len(batch)
            if done < len(batches.targets) and out_of_time(view, done):
                return features[:1, :done] if view == 0 else features[:view]
        if out_of_time(view, done):
            break
    assert features is not None  # an empty split is rejected before
    return features[: view + 1]

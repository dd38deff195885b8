"""The store: every image decoded once, at one size, as one uint8 array."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.inputs.registry import INPUT_KINDS
from convscope.datasets.store import cache
from convscope.datasets.store.lazy_store import LazyStore, decode_image
from convscope.datasets.store.parallel import FORK_FROM, parallel_map, shared_zeros
from convscope.datasets.store.resources import available_memory, usable_cores
from convscope.errors import DataError

RULE = 3
"""Increment when the output of `decode` changes, to invalidate cached entries."""

_CHUNK = 32  # images that a worker decodes between two progress reports


class StoreSettings(BaseModel, frozen=True, extra="forbid"):
    """Limits of the storage of decoded images."""

    ram_fraction: float = Field(0.5, gt=0, le=1)
    """The share of the available memory that decoded images may take."""
    cache_limit: int = 20 * 10**9
    """Bytes that the cache may take on disk."""
    worth_caching: float = 5.0
    """Seconds of decoding above which images in memory are also cached on disk for the next run."""


@dataclass(frozen=True, eq=False)
class Store:
    """Decoded images."""

    pixels: NDArray[Any]
    """(N, C, H, W) uint8, or (N, C, ...) of another kind of input with its dtype, in the order of the dataset; an
    array, a memory map, or a `LazyStore` with the same row access."""
    unreadable: dict[int, str]
    """Row -> why its image could not be decoded; such rows are black and must not be used."""
    location: str
    """Where the pixels are stored and why, as text."""

    @property
    def readable(self) -> NDArray[np.int64]:
        """Rows with a decoded image: use ``dataset.subset(store.readable)``, and these rows of the pixels."""
        return np.array([row for row in range(len(self.pixels)) if row not in self.unreadable], np.int64)

    @property
    def mapped(self) -> bool:
        """Whether the pixels are memory-mapped from disk."""
        return isinstance(self.pixels, np.memmap)


def build_store(
    dataset: Dataset,
    size: tuple[int, ...],
    *,
    threads: int | None = None,
    cache_folder: Path | None = None,
    settings: StoreSettings = StoreSettings(),  # noqa: B008  (frozen)
    on_progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Decode every image of the dataset at `size` (H, W); series in memory are brought to `size` (L,).

    The images are stored in memory if they fit in `ram_fraction` of it, else in a memory-mapped file of the cache; if
    that is too small, they are decoded every epoch. Images decoded by an earlier run are memory-mapped.

    Args:
        dataset: N images.
        size: (H, W), see `fit`.
        threads: number of decoding threads, or processes for many images; None: one per core.
        cache_folder: cache folder; None: `cache.default_folder`.
        settings: limits of memory and cache.
        on_progress: called with (images done, total number of images).
    """
    kind = INPUT_KINDS[dataset.input_kind]
    arrays = kind.store_arrays(dataset, size)
    if arrays is not None:
        return Store(arrays, {}, f"in memory, {arrays.nbytes / 1e6:,.1f} MB")
    shape = (len(dataset), dataset.channels, *size)
    folder = cache_folder or cache.default_folder()
    key = _key(dataset, size)
    cache.delete_abandoned(folder)
    existing = cache.load(folder, key, shape, kind.storage) if isinstance(dataset.images, tuple) else None
    if existing is not None:
        return Store(*existing, f"in {folder}, {_extent(dataset, shape)}, where an earlier run decoded them")
    decoding = _Decoding(dataset, size, threads or usable_cores(), on_progress)
    if int(np.prod(shape)) * kind.storage.itemsize <= settings.ram_fraction * available_memory():
        return _in_memory(decoding, shape, settings, folder, key)
    return _in_cache(decoding, shape, settings, folder, key)


def _in_memory(decoding: "_Decoding", shape: tuple[int, ...], settings: StoreSettings, folder: Path, key: str) -> Store:
    dtype = decoding.kind.storage
    pixels = shared_zeros(shape, dtype)
    start = time.monotonic()
    unreadable = decoding.fill(pixels)
    location = f"in memory, {_extent(decoding.dataset, shape)}"
    if time.monotonic() - start > settings.worth_caching and decoding.files:
        try:
            with cache.write_entry(folder, key, shape, settings.cache_limit, dtype) as (cached, reasons):
                cached[:] = pixels
                reasons.update(unreadable)
            location += f", and in {folder} for the next run"
        except OSError as error:  # optional: the run continues
            location += f"; not cached for the next run, as {folder} cannot take them ({error})"
    return Store(pixels, unreadable, location)


def _in_cache(decoding: "_Decoding", shape: tuple[int, ...], settings: StoreSettings, folder: Path, key: str) -> Store:
    reason = f"more than fits in {settings.ram_fraction:.0%} of the free memory"
    dtype = decoding.kind.storage
    try:
        with cache.write_entry(folder, key, shape, settings.cache_limit, dtype) as (pixels, reasons):
            reasons.update(decoding.fill(pixels))
    except OSError as error:
        return _not_cached(decoding, shape, f"{reason}, and {folder} cannot take them ({error})")
    written = cache.load(folder, key, shape, dtype)
    if written is None:  # deleted by another run that needed space
        return _not_cached(decoding, shape, f"{reason}, and {folder} has lost them to another run")
    return Store(*written, f"in {folder}, {_extent(decoding.dataset, shape)}, {reason}")


def _not_cached(decoding: "_Decoding", shape: tuple[int, ...], why: str) -> Store:
    rows = LazyStore(decoding.dataset, decoding.size, decoding.threads)
    location = (
        f"not cached ({_extent(decoding.dataset, shape)}, {why}): {decoding.kind.nouns[1]} are decoded every epoch; "
        f"set {cache.ENVIRONMENT} to a larger disk to avoid this"
    )
    return Store(cast("NDArray[Any]", rows), decoding.fill(None), location)  # only row access is used


class _Decoding:
    """Parallel decoding of a dataset's images into an array."""

    def __init__(
        self, dataset: Dataset, size: tuple[int, ...], threads: int, on_progress: Callable[[int, int], None] | None
    ) -> None:
        self.dataset = dataset
        self.kind, self.size = INPUT_KINDS[dataset.input_kind], size
        self.threads = threads
        self.on_progress = on_progress
        self.files = isinstance(dataset.images, tuple)

    def fill(self, pixels: NDArray[Any] | None) -> dict[int, str]:
        """Write every image to its row (None: discard it); return row -> reason for unreadable images."""
        count = len(self.dataset)
        unreadable: dict[int, str] = {}
        fork_from = FORK_FROM if self.kind.forks else count + 1
        with quiet_pillow():
            done = 0
            work = lambda rows: (len(rows), dict(self._some(rows, pixels)))  # noqa: E731
            for found in parallel_map(work, count, _CHUNK, self.threads, fork_from):
                done += found[0]
                unreadable.update(found[1])
                if self.on_progress is not None:
                    self.on_progress(done, count)
        return unreadable

    def _some(self, rows: range, pixels: NDArray[Any] | None) -> Iterator[tuple[int, str]]:
        for row in rows:
            try:
                found = decode_image(self.dataset, row, self.size)
            except DataError as error:
                yield row, str(error)
                continue
            if pixels is not None:
                pixels[row] = found


def _key(dataset: Dataset, size: tuple[int, ...]) -> str:
    key = f"{dataset.source} {dataset.fingerprint()} {size} {RULE}"
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()


def _extent(dataset: Dataset, shape: tuple[int, ...]) -> str:
    kind, (count, *sides) = INPUT_KINDS[dataset.input_kind], shape
    megabytes = np.prod(shape) * kind.storage.itemsize / 1e6
    return f"{count:,} {kind.nouns[1]} of {' x '.join(map(str, sides))} in {megabytes:,.1f} MB"

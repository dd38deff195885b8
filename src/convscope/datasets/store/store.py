"""Every image decoded once, at one size, as one array of bytes."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.image import quiet_pillow
from convscope.datasets.store import cache
from convscope.datasets.store.lazy_store import LazyStore, decode_image
from convscope.datasets.store.parallel import parallel_map, shared_zeros
from convscope.datasets.store.resources import available_memory, usable_cores
from convscope.errors import DataError

RULE = 2
"""Raise it when `read_image` or `fit` change what they give, so that entries made by the old rule are not used."""

_CHUNK = 32  # images that a thread decodes between two reports


class StoreSettings(BaseModel, frozen=True, extra="forbid"):
    """Where decoded images may live."""

    ram_fraction: float = Field(0.5, gt=0, le=1)
    """The share of the available memory that decoded images may take."""
    cache_limit: int = 20 * 10**9
    """Bytes that the cache may take on disk."""
    worth_caching: float = 5.0
    """Seconds of decoding above which images that fit in memory are also kept on disk for the next run."""


@dataclass(frozen=True, eq=False)
class Store:
    """Decoded images."""

    pixels: NDArray[np.uint8]
    """(N, C, H, W), in the data set's order; an array, a memory map, or an `LazyStore` that gives rows alike."""
    unreadable: dict[int, str]
    """Row -> why its image could not be decoded; such rows are black and must not be used."""
    location: str
    """A sentence: where the pixels lie and why."""

    @property
    def readable(self) -> NDArray[np.int64]:
        """Rows that hold an image: use ``dataset.subset(store.readable)``, and these rows of the pixels."""
        return np.array([row for row in range(len(self.pixels)) if row not in self.unreadable], np.int64)

    @property
    def mapped(self) -> bool:
        """Whether the pixels lie on disk and are read from there as needed."""
        return isinstance(self.pixels, np.memmap)


def build_store(
    dataset: Dataset,
    size: tuple[int, int],
    *,
    threads: int | None = None,
    cache_folder: Path | None = None,
    settings: StoreSettings = StoreSettings(),  # noqa: B008  (frozen)
    on_progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Decode every image of the data set at `size` (H, W).

    They stay in memory when they fit in `ram_fraction` of it, else in a mapped file of the cache folder, and where that
    cannot take them they are decoded in every epoch. What an earlier run has decoded is mapped, not decoded again.

    Args:
        dataset: N images.
        size: (H, W), see `fit`.
        threads: that decode, or as many processes where there are many images; None: one per core.
        cache_folder: None: `cache.default_folder`.
        settings: how much may be kept where.
        on_progress: called with (images done, images in all) as the work goes on.
    """
    shape = (len(dataset), dataset.channels, *size)
    folder = cache_folder or cache.default_folder()
    key = _key(dataset, size)
    earlier = cache.load(folder, key, shape) if isinstance(dataset.images, tuple) else None
    if earlier is not None:
        return Store(*earlier, f"in {folder}, {_extent(shape)}, where an earlier run decoded them")
    filling = _Decoding(dataset, size, threads or usable_cores(), on_progress)
    if int(np.prod(shape)) <= settings.ram_fraction * available_memory():
        return _in_memory(filling, shape, settings, folder, key)
    return _in_cache(filling, shape, settings, folder, key)


def _in_memory(filling: "_Decoding", shape: tuple[int, ...], settings: StoreSettings, folder: Path, key: str) -> Store:
    pixels = shared_zeros(shape)
    start = time.monotonic()
    unreadable = filling.fill(pixels)
    home = f"in memory, {_extent(shape)}"
    if time.monotonic() - start > settings.worth_caching and filling.files:
        try:
            with cache.write_entry(folder, key, shape, settings.cache_limit) as (kept, reasons):
                kept[:] = pixels
                reasons.update(unreadable)
            home += f", and in {folder} for the next run"
        except OSError as error:  # a convenience: no reason to stop
            home += f"; not kept for the next run, as {folder} cannot take them ({error})"
    return Store(pixels, unreadable, home)


def _in_cache(filling: "_Decoding", shape: tuple[int, ...], settings: StoreSettings, folder: Path, key: str) -> Store:
    beyond = f"more than fits in {settings.ram_fraction:.0%} of the free memory"
    try:
        with cache.write_entry(folder, key, shape, settings.cache_limit) as (pixels, reasons):
            reasons.update(filling.fill(pixels))
    except OSError as error:
        return _not_cached(filling, shape, f"{beyond}, and {folder} cannot take them ({error})")
    written = cache.load(folder, key, shape)
    if written is None:  # another run needed the room
        return _not_cached(filling, shape, f"{beyond}, and {folder} has lost them to another run")
    return Store(*written, f"in {folder}, {_extent(shape)}, {beyond}")


def _not_cached(filling: "_Decoding", shape: tuple[int, ...], why: str) -> Store:
    rows = LazyStore(filling.dataset, (shape[2], shape[3]), filling.threads)
    home = (
        f"nowhere, {_extent(shape)}, {why}; decoded in every epoch anew, which a smaller image size or a roomier "
        f"folder with {cache.ENVIRONMENT}=FOLDER would save"
    )
    return Store(cast("NDArray[np.uint8]", rows), filling.fill(None), home)  # rows are all that is asked of it


class _Decoding:
    """The decoding of a data set's images into an array, spread over the cores."""

    def __init__(
        self, dataset: Dataset, size: tuple[int, int], threads: int, on_progress: Callable[[int, int], None] | None
    ) -> None:
        self.dataset = dataset
        self.size = size
        self.threads = threads
        self.on_progress = on_progress
        self.files = isinstance(dataset.images, tuple)

    def fill(self, pixels: NDArray[np.uint8] | None) -> dict[int, str]:
        """Write every image to its row (None: nowhere); returns row -> why for those that cannot be read."""
        count = len(self.dataset)
        unreadable: dict[int, str] = {}
        with quiet_pillow():
            done = 0
            for found in parallel_map(
                lambda rows: (len(rows), dict(self._some(rows, pixels))), count, _CHUNK, self.threads
            ):
                done += found[0]
                unreadable.update(found[1])
                if self.on_progress is not None:
                    self.on_progress(done, count)
        return unreadable

    def _some(self, rows: range, pixels: NDArray[np.uint8] | None) -> Iterator[tuple[int, str]]:
        for row in rows:
            try:
                found = decode_image(self.dataset, row, self.size)
            except DataError as error:
                yield row, str(error)
                continue
            if pixels is not None:
                pixels[row] = found


def _key(dataset: Dataset, size: tuple[int, int]) -> str:
    key = f"{dataset.source} {dataset.fingerprint()} {size} {RULE}"
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()


def _extent(shape: tuple[int, ...]) -> str:
    count, channels, height, width = shape
    return f"{count:,} images of {channels} x {height} x {width} in {np.prod(shape) / 1e6:,.1f} MB"

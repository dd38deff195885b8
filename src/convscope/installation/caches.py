"""The caches on this machine: where they are, how large, and how to empty them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convscope.datasets.store import cache
from convscope.errors import ConfigError, did_you_mean
from convscope.models.pretrained.download import download_folder

CACHES = ("images", "weights")


@dataclass(frozen=True)
class Cache:
    """A cache of this machine.

    Attributes:
        name: "images", decoded images, features and unpacked archives, or "weights", downloaded files.
        folder: where it is.
        entries: how many data sets or files it holds.
        size: bytes on disk.
        remedy: how to place it elsewhere or how it is bounded.
    """

    name: str
    folder: Path
    entries: int
    size: int
    remedy: str


def find_caches() -> list[Cache]:
    """Return the caches of this machine, also those that are empty."""
    images, weights = cache.default_folder(), download_folder()
    files = [path for path in weights.glob("*") if path.is_file()] if weights.is_dir() else []
    number, size = cache.usage(images)
    return [
        Cache("images", images, number, size, f"another folder: ${cache.ENVIRONMENT}"),
        Cache("weights", weights, len(files), sum(path.stat().st_size for path in files), ""),
    ]


def clear_caches(names: Sequence[str]) -> list[Cache]:
    """Delete the content of caches, and return what they held.

    A run that reads images from the cache keeps those that it has mapped.

    Args:
        names: of `CACHES`.

    Raises:
        ConfigError: a name is unknown.
    """
    for name in names:
        if name not in CACHES:
            raise ConfigError(f"--clean {name}: unknown{did_you_mean(name, CACHES)}")
    held = [found for found in find_caches() if found.name in names]
    for found in held:
        if found.name == "images":
            cache.make_room(found.folder, 0)
        else:
            shutil.rmtree(found.folder, ignore_errors=True)
    return held

"""Digests of the content of a run's files, which find files that were replaced with equal size and time."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from convscope.datasets import Dataset
from convscope.datasets.store.resources import usable_cores

MAX_BYTES = 10**9  # that are read for digests when a run starts: about a second; of larger data, an even sample
SAMPLE = 256  # files that are compared on every resume
PIECE = 64  # files that a thread reads at a time


def content_digests(dataset: Dataset, most_bytes: int = MAX_BYTES) -> dict[str, str]:
    """Return a 64-bit digest of the files of each image, with its masks, by name.

    Of data with more than `most_bytes`, an even sample of images is read. Images that are no files have none: their
    pixels are in the fingerprint of the data set.
    """
    files = _files_of(dataset)
    total = sum(path.stat().st_size for paths in files.values() for path in paths)
    names = _even_sample(list(files), int(len(files) * min(1.0, most_bytes / max(1, total))))
    return _digests({name: files[name] for name in names})


def changed_content(dataset: Dataset, recorded: Mapping[str, str], check_all: bool = False) -> str:
    """Compare files with their digests at the start of the run, and describe the difference; "" if there is none.

    Args:
        dataset: the run's images as they are now.
        recorded: from `content_digests`.
        check_all: compare all recorded files instead of a sample of `SAMPLE`.
    """
    files = {name: paths for name, paths in _files_of(dataset).items() if name in recorded}
    now = _digests({name: files[name] for name in _even_sample(list(files), len(files) if check_all else SAMPLE)})
    changed = [name for name, digest in now.items() if digest != recorded[name]]
    if not changed:
        return ""
    more = "" if len(now) == len(recorded) else "; --check-data compares all"
    return (
        f"the content of {len(changed):,} of {len(now):,} compared files has changed since the run started, such as "
        f"{changed[0]}, so the result may differ{more}"
    )


def _files_of(dataset: Dataset) -> dict[str, tuple[Path, ...]]:
    if not isinstance(dataset.images, tuple):
        return {}
    masks = dataset.masks if isinstance(dataset.masks, tuple) else None
    return {
        name: (path, *(masks[row].paths if masks else ()))
        for row, (name, path) in enumerate(zip(dataset.names, dataset.images, strict=True))
    }


def _even_sample(names: Sequence[str], count: int) -> list[str]:
    """Return at most `count` names, evenly spaced, and at least one where there are any."""
    return [names[i * len(names) // count] for i in range(count)] if (count := min(len(names), max(1, count))) else []


def _digests(files: Mapping[str, tuple[Path, ...]]) -> dict[str, str]:
    parts = list(files.values())
    pieces = [parts[start : start + PIECE] for start in range(0, len(parts), PIECE)]
    with ThreadPoolExecutor(usable_cores(), "convscope-digest") as pool:
        found = pool.map(lambda piece: [_digest(paths) for paths in piece], pieces)
        return dict(zip(files, chain.from_iterable(found), strict=True))


def _digest(paths: Sequence[Path]) -> str:
    content = hashlib.blake2b(digest_size=8)
    for path in paths:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (Path.open takes twice as long for small files)
            while block := file.read(1 << 20):
                content.update(block)
    return content.hexdigest()

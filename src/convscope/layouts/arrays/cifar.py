"""The binary version of CIFAR-10 and CIFAR-100; the Python version is pickled and is never opened."""

import re
from pathlib import Path

import numpy as np

from convscope.datasets.dataset import Dataset
from convscope.datasets.pixel_arrays import ArrayPart, ArraySource, array_dataset
from convscope.datasets.store.resources import available_memory
from convscope.errors import DataError
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source

_PIXELS = 3 * 32 * 32
_TEN = re.compile(r"(data_batch_\d+|test_batch)\.bin")
_HUNDRED = re.compile(r"(train|test)\.bin")
_PICKLED = ({"data_batch_1", "batches.meta"}, {"train", "test", "meta"})
_NAMES = ("batches.meta.txt", "fine_label_names.txt")


def _folder(source: Source) -> tuple[Path, list[str]] | None:
    """The first folder with files of CIFAR, and their names; a file stands for its folder."""
    if source.path.is_file():
        folders = [(source.path.parent, sorted(file.name for file in source.path.parent.iterdir()))]
        folders = folders if _TEN.fullmatch(source.path.name) or _HUNDRED.fullmatch(source.path.name) else []
    else:
        folders = list(source.folders)
    for place, names in folders:
        if any(_TEN.fullmatch(name) for name in names) or _is_hundred(names):
            return place, names
        if any(pickled <= set(names) for pickled in _PICKLED):
            return place, names
    return None


def _is_hundred(names: list[str]) -> bool:
    return "fine_label_names.txt" in names and any(_HUNDRED.fullmatch(name) for name in names)


def _read(source: Source, settings: ReadSettings) -> Dataset:
    where = str(source.path.absolute())
    place, names = _folder(source) or (source.path, [])
    hundred = _is_hundred(names)
    files = [name for name in sorted(names) if (_HUNDRED if hundred else _TEN).fullmatch(name)]
    if not files:
        raise DataError(
            f"{where}: the Python version of CIFAR, whose pickled files could run code when read; download the binary "
            "version, or save x_train, y_train, x_test and y_test as .npz"
        )
    by_split: dict[str, list[np.ndarray]] = {}
    for name in files:
        split = "test" if name.startswith("test") else "train"
        by_split.setdefault(split, []).append(_records(place / name, 2 if hundred else 1))
    parts = []
    for split, records in sorted(by_split.items(), reverse=True):
        rows = np.concatenate(records)
        parts.append(ArrayPart(split, rows[:, -_PIXELS:].reshape(-1, 3, 32, 32), rows[:, -_PIXELS - 1]))
    notes = ("the 100 fine labels of CIFAR-100 are used, not the 20 coarse ones",) if hundred else ()
    origin = ArraySource(where, CIFAR.name, _class_names(place, parts), settings.target_kind, notes)
    return array_dataset(origin, parts)


def _records(file: Path, labels: int) -> np.ndarray:
    """(N, labels + 3072) bytes: labels, then the red, green and blue rows."""
    size, length = file.stat().st_size, labels + _PIXELS
    if not size or size % length:
        raise DataError(f"{file}: {size:,} bytes are no whole number of records of {length:,}; download it again")
    if size > 0.2 * available_memory():
        raise DataError(f"{file}: {size / 1e9:.1f} GB do not fit in the free memory; give image files instead")
    return np.frombuffer(file.read_bytes(), np.uint8).reshape(-1, length)


def _class_names(place: Path, parts: list[ArrayPart]) -> tuple[str, ...]:
    """The names of the labels; empty if no file has one for each."""
    file = next((place / name for name in _NAMES if (place / name).is_file()), None)
    if file is None or file.stat().st_size > 1 << 16:
        return ()
    names = tuple(line.strip() for line in file.read_text("utf-8", errors="replace").splitlines() if line.strip())
    return names if len(names) > max(int(part.labels.max()) for part in parts) else ()


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    found = _folder(source) if source.path.exists() else None
    if found is None:
        return None
    files = [name for name in found[1] if _TEN.fullmatch(name) or _HUNDRED.fullmatch(name)]
    because = (
        f"{files[0]} is a file of CIFAR's binary version" if files else "it has the files of CIFAR's Python version"
    )
    return Recognised(CIFAR.name, 0.95, because)


CIFAR = Layout(
    "cifar", "data_batch_1.bin to data_batch_5.bin and test_batch.bin, or train.bin and test.bin", _recognise, _read
)

"""NumPy arrays: an .npz file with images and labels, or a folder of .npy files with them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import SPLITS, Dataset, split_of
from convscope.datasets.pixel_arrays import ArrayPart, ArraySource, array_dataset
from convscope.errors import DataError
from convscope.layouts.arrays.npy_files import npz_names, read_npy, read_npz
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source

_IMAGES = frozenset(("x", "images", "image", "imgs", "data", "pixels", "inputs", "features"))
_TARGETS = frozenset(("y", "labels", "label", "targets", "target", "masks", "mask", "annotations", "segmentations"))
_NAMES = frozenset(("classes", "names", "label_names"))
_ROLE_AND_SPLIT = re.compile(r"(x|y)(train|test|val|valid|validation)")
_NPZ, _NPY = ".npz", ".npy"


@dataclass(frozen=True)
class NamedPair:
    """The names of the images and labels of a split."""

    split: str
    images: str
    labels: str


def pair_names(names: Iterable[str]) -> list[NamedPair]:
    """Pairs such as x_train and y_train, train_images and train_labels, or images and labels; empty if there is none.

    >>> pair_names(["x_train", "y_train", "other"])
    [NamedPair(split='train', images='x_train', labels='y_train')]
    """
    roles: dict[tuple[str, str], str] = {}
    for name in names:
        words = [word for word in re.split(r"[\W_]+", _ROLE_AND_SPLIT.sub(r"\1_\2", name.lower())) if word]
        split = next((found for found in map(split_of, words) if found), "")
        rest = [word for word in words if not split_of(word)]
        if len(rest) == 1 and rest[0] in _IMAGES | _TARGETS:
            roles.setdefault((split, "images" if rest[0] in _IMAGES else "targets"), name)
    return [
        NamedPair(split, roles[split, "images"], roles[split, "targets"])
        for split in (*SPLITS, "")
        if {(split, "images"), (split, "targets")} <= set(roles)
    ]


def read_arrays(source: Source, settings: ReadSettings) -> Dataset:
    """The images and labels of an .npz file, or of a folder with .npy files, in the splits of their names.

    Args:
        source: the file or folder.
        settings: the requested kind of target.

    Raises:
        DataError: there is no pair of images and labels, or they are damaged or do not match.
    """
    path = source.path
    if path.is_dir():
        names = [file.stem for file in _npy_files(path)]
        return _read(path, names, settings, lambda name: read_npy(path / f"{name}{_NPY}"))
    if path.suffix.lower() == _NPY:
        raise DataError(f"{path}: one array; give the folder, with images{_NPY} and labels{_NPY}, or one {_NPZ} file")
    return _read(path, npz_names(path), settings, lambda name: read_npz(path, name))


def _read(path: Path, names: list[str], settings: ReadSettings, load: Callable[[str], NDArray[Any]]) -> Dataset:
    pairs = pair_names(names) or _by_shape(names, load)
    if not pairs:
        shown = ", ".join(sorted(names)[:6]) or "nothing"
        raise DataError(f"{path.absolute()}: holds {shown}; name its arrays x_train and y_train, or images and labels")
    classes: tuple[str, ...] = ()
    named = [name for name in names if name.lower() in _NAMES]
    if named:
        found = load(named[0])
        classes = tuple(map(str, found.tolist())) if found.ndim == 1 and found.dtype.kind == "U" else ()
    unused = sorted({*names} - {name for pair in pairs for name in (pair.images, pair.labels)} - set(named))
    notes = (f"arrays {', '.join(unused[:6])} are not used",) if unused else ()
    origin = ArraySource(str(path.absolute()), ARRAYS.name, classes, settings.target_kind, notes)
    return array_dataset(origin, [ArrayPart(pair.split, load(pair.images), load(pair.labels)) for pair in pairs])


def _by_shape(names: list[str], load: Callable[[str], NDArray[Any]]) -> list[NamedPair]:
    """Of two arrays, such as arr_0 and arr_1, the one with more dimensions is the images."""
    if len(names) != 2:
        return []
    few, many = sorted(names, key=lambda name: np.ndim(load(name)))
    return [NamedPair("", many, few)] if np.ndim(load(few)) < np.ndim(load(many)) else []


def _npy_files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.suffix.lower() == _NPY)


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    path = source.path
    if path.suffix.lower() in (_NPZ, _NPY) and path.is_file():
        return Recognised(ARRAYS.name, 1.0, f"it is an {path.suffix.lower()} file")
    pairs = pair_names(file.stem for file in _npy_files(path)) if path.is_dir() else []
    if not pairs:
        return None
    because = f"it has the arrays {pairs[0].images}{_NPY} and {pairs[0].labels}{_NPY}"
    return Recognised(ARRAYS.name, 0.9, because)


ARRAYS = Layout(
    "arrays", "an .npz file or .npy files named x_train and y_train, or images and labels", _recognise, read_arrays
)

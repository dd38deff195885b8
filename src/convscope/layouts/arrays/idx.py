"""idx files, as MNIST, Fashion-MNIST, KMNIST and EMNIST are published: pairs of images and labels, also compressed."""

import gzip
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset
from convscope.datasets.pixel_arrays import ArrayPart, ArraySource, array_dataset
from convscope.datasets.store.resources import available_memory
from convscope.errors import DataError
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source

_NAME = re.compile(
    r"(?P<set>.*?)(?P<split>train|t10k|test|validation|val)?[-_.]?(?P<kind>images|labels)[-_.]idx\d[-_.]ubyte(\.gz)?",
    re.IGNORECASE,
)
_SPLITS = {"train": "train", "t10k": "test", "test": "test", "validation": "validation", "val": "validation", "": ""}
_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_MOST_COMPRESSED = 1032  # bytes that deflate makes at most of one


@dataclass(frozen=True)
class IdxFile:
    """An idx file by its name."""

    path: Path
    set: str
    split: str
    kind: str


def idx_file(path: Path) -> IdxFile | None:
    """What the name of an idx file says; None for other files.

    >>> found = idx_file(Path("emnist-letters-train-images-idx3-ubyte.gz"))
    >>> found.set, found.split, found.kind
    ('emnist-letters', 'train', 'images')
    """
    match = _NAME.fullmatch(path.name)
    if not match:
        return None
    split = _SPLITS[(match["split"] or "").lower()]
    return IdxFile(path, match["set"].strip("-_."), split, match["kind"].lower())


def read_idx(path: Path) -> NDArray[Any]:
    """The array of an idx file.

    Raises:
        DataError: it is damaged, or does not fit in half of the free memory.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            opened = cast("IO[bytes]", gzip.GzipFile(fileobj=file) if is_gzip else file)
            return _read(opened, size * _MOST_COMPRESSED if is_gzip else size, path)
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(f"{path}: damaged or cut short; download it again") from error


def _read(file: IO[bytes], most: int, path: Path) -> NDArray[Any]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 4:
        raise DataError(f"{path}: not an idx file; download it again")
    header = file.read(4 * magic[3])
    shape = tuple(int.from_bytes(header[4 * i : 4 * i + 4], "big") for i in range(magic[3]))
    dtype = np.dtype(_TYPES[magic[2]])
    needed = math.prod(shape) * dtype.itemsize
    if needed > most:
        raise DataError(f"{path}: its header promises {needed:,} bytes, more than it can hold; download it again")
    if needed > 0.5 * available_memory():
        raise DataError(
            f"{path}: {needed / 1e9:.1f} GB do not fit in half of the free memory; give image files instead"
        )
    content = bytearray()
    while len(content) <= needed:
        part = file.read(min(needed + 1 - len(content), 1 << 24))
        if not part:
            break
        content += part
    if len(content) != needed:
        more = "more" if len(content) > needed else "fewer"
        raise DataError(f"{path}: its header promises {needed:,} bytes, and it has {more}; download it again")
    return np.frombuffer(content, dtype).reshape(shape)


def _files(source: Source) -> list[IdxFile]:
    """The idx files of a folder, or of the set that a file belongs to."""
    path = source.path
    if path.is_file():
        first = idx_file(path)
        siblings = (idx_file(file) for file in sorted(path.parent.iterdir())) if first else ()
        return [file for file in siblings if file and first and file.set == first.set]
    found = (idx_file(place / name) for place, names in source.folders for name in names if "ubyte" in name.lower())
    return [file for file in found if file]


def _read_source(source: Source, settings: ReadSettings) -> Dataset:
    """The images and labels, in the splits of their names; EMNIST stores columns first and is transposed."""
    where = str(source.path.absolute())
    files = _files(source)
    sets = sorted({file.set for file in files})
    if len(sets) > 1:
        firsts = [next(file.path.name for file in files if file.set == name) for name in sets]
        raise DataError(f"{where}: holds several sets, such as {firsts[0]} and {firsts[1]}; give a file of one of them")
    of_role: dict[tuple[str, str], Path] = {}
    for file in files:
        of_role.setdefault((file.split, file.kind), file.path)  # of a file and its .gz, the file
    paired = [
        split for split in ("train", "validation", "test", "") if {(split, "images"), (split, "labels")} <= set(of_role)
    ]
    if not paired:
        first = files[0]
        missing = "labels" if first.kind == "images" else "images"
        raise DataError(f"{where}: {first.path.name} has no file of {missing}; download that too")
    transposed = sets[0].lower().startswith("emnist")
    parts = []
    for split in paired:
        images, labels = (read_idx(of_role[split, kind]) for kind in ("images", "labels"))
        parts.append(ArrayPart(split, images.swapaxes(1, 2) if transposed and images.ndim == 3 else images, labels))
    notes = ("EMNIST stores the columns of its images first; they are transposed",) if transposed else ()
    origin = ArraySource(where, IDX.name, _mapping(files[0].path.parent, sets[0], parts), settings.target_kind, notes)
    return array_dataset(origin, parts)


def _mapping(folder: Path, name: str, parts: list[ArrayPart]) -> tuple[str, ...]:
    """The characters of EMNIST's labels from its file of ASCII codes; empty if there is none that fits."""
    file = folder / f"{name}-mapping.txt"
    if not name or not file.is_file() or file.stat().st_size > 1 << 16:
        return ()
    rows = [line.split() for line in file.read_text("ascii", errors="replace").splitlines()]
    codes = {
        int(row[0]): int(row[1])
        for row in rows
        if len(row) >= 2 and all(part.isdigit() and len(part) < 4 for part in row[:2])
    }
    labels = {int(label) for part in parts for label in np.unique(part.labels)}
    if not labels <= set(codes) or min(codes, default=1) != 0 or len(codes) != max(codes) + 1:
        return ()
    return tuple(chr(codes[label]) for label in range(len(codes)))


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    files = _files(source) if source.path.exists() else []
    images = [file for file in files if file.kind == "images"]
    if not images:
        return None
    return Recognised(IDX.name, 1.0 if source.path.is_file() else 0.9, f"{images[0].path.name} is an idx file")


IDX = Layout("idx", "idx files such as train-images-idx3-ubyte and train-labels-idx1-ubyte", _recognise, _read_source)

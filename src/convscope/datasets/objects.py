"""Data given as objects of Python: arrays, datasets as torchvision has them, and datasets of Hugging Face.

They are written once, as NumPy files or as a table of image files, into the cache, where runs find them again.
"""

import hashlib
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.dataset import split_of
from convscope.datasets.object_items import Examples, examples_of
from convscope.datasets.store import cache
from convscope.datasets.store.store import StoreSettings
from convscope.errors import DataError

_ENTRY = "object-"
_ABOUT = "about.json"
TABLE = "labels.csv"


def source_of(data: object, settings: StoreSettings = StoreSettings()) -> str:  # noqa: B008  (frozen)
    """The source of data: itself if it is a name or path, else where its copy lies in the cache.

    Args:
        data: a name or path; ``(images, labels)`` arrays; an object with ``len()`` whose items are (image, target); a
            dataset of Hugging Face with a column of images; or a mapping from train, validation and test to these.
        settings: how many bytes the cache may take.

    Raises:
        DataError: it is none of these, or its items are no images.
    """
    if isinstance(data, str | PathLike):
        return str(data)
    parts = _parts(data)
    what = type(next(iter(data.values()))).__name__ if isinstance(data, Mapping) else type(data).__name__
    folder = cache.default_folder()
    content = _content(parts)
    key = f"{_ENTRY}{_digest(content)}"
    try:
        if not (folder / key / cache.FILES).exists():
            with cache.write_files(folder, key, settings.cache_limit) as part:
                size = sum(_write(part, name, value) for name, value in content.items())
                notes = [note for examples in parts.values() for note in examples.notes]
                (part / _ABOUT).write_text(json.dumps({"what": what, "notes": sorted(set(notes))}))
                (part / cache.FILES).write_text(json.dumps({"size": size}))
        cache.use_files(folder / key)
    except OSError as error:
        raise DataError(
            f"the data: cannot be copied into {folder} ({error.strerror or error}); set {cache.ENVIRONMENT} to another "
            "folder"
        ) from error
    return str(folder / key / TABLE if TABLE in content else folder / key)


def object_notes(path: Path) -> tuple[str, ...]:
    """What to say of a source that is the copy of an object; empty for others."""
    entry = path.parent if path.name == TABLE else path
    if not entry.name.startswith(_ENTRY) or not (entry / _ABOUT).is_file():
        return ()
    about = json.loads((entry / _ABOUT).read_text())
    note = (
        f"the data were given as an object ({about['what']}); runs read the copy {entry}, so keep it to use them again"
    )
    return (*about["notes"], note)


def is_lost_object(path: Path) -> bool:
    """Whether a source was the copy of an object that the cache no longer has."""
    entry = path.parent if path.name == TABLE else path
    return entry.name.startswith(_ENTRY) and not entry.exists()


def _parts(data: object) -> dict[str, Examples]:
    """The examples of each split."""
    if isinstance(data, Mapping):
        named = {str(name): split_of(str(name)) for name in data}
        unknown = [name for name, split in named.items() if split is None]
        if unknown or not named:
            raise DataError(
                f"the data: a mapping with {', '.join(unknown) or 'nothing'}; name its parts train, validation, test"
            )
        return {split: examples_of(value) for split, value in zip(named.values(), data.values(), strict=True) if split}
    if isinstance(data, tuple | list) and len(data) == 2 and all(_is_pair(one) for one in data):
        return {"train": examples_of(data[0]), "test": examples_of(data[1])}
    return {"": examples_of(data)}


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(hasattr(one, "shape") for one in value)


def _content(parts: Mapping[str, Examples]) -> dict[str, Any]:
    """Files of the copy: arrays, images, or the text of a table."""
    files: dict[str, Any] = {}
    classes = next((examples.classes for examples in parts.values() if examples.classes), ())
    images = [image for examples in parts.values() for image in examples.images]
    sizes = {image.shape for image in images if isinstance(image, np.ndarray)}
    if len(sizes) == 1 and not any(isinstance(image, Path) for image in images):
        for split, examples in parts.items():
            end = f"_{split}.npy" if split else ".npy"
            files[f"images{end}"] = np.stack([np.asarray(image) for image in examples.images])
            files[f"labels{end}"] = np.asarray(examples.labels)
        if classes:
            files["classes.npy"] = np.array(classes)
        return files
    rows = ["image,label,split"]
    for split, examples in parts.items():
        for i, (image, label) in enumerate(zip(examples.images, examples.labels, strict=True)):
            if np.ndim(label):
                raise DataError(
                    "the data: images of several sizes with labels of several values; resize the images to one size"
                )
            name = str(image) if isinstance(image, Path) else f"{split or 'images'}/{i:06d}.png"
            if not isinstance(image, Path):
                files[name] = image
            shown = classes[int(label)] if classes and isinstance(label, int | np.integer) else str(label)
            rows.append(",".join(_cell(cell) for cell in (name, shown, split)))
    files[TABLE] = "\n".join(rows) + "\n"
    if not any(parts):
        files[TABLE] = "\n".join(row.rpartition(",")[0] for row in rows) + "\n"
    return files


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _digest(content: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for name, value in content.items():
        digest.update(name.encode())
        if isinstance(value, np.ndarray):
            digest.update(repr((value.dtype.str, value.shape)).encode())
            digest.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
        else:
            digest.update(value.encode())
    return digest.hexdigest()


def _write(folder: Path, name: str, value: Any) -> int:
    """Write a file of the copy; its size."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, str):
        path.write_text(value, encoding="utf-8")
    elif path.suffix == ".npy":
        np.save(path, value, allow_pickle=False)
    else:
        pixels: NDArray[np.uint8] = value
        Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(path)
    return path.stat().st_size

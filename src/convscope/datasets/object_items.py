"""Images and labels of the datasets of other libraries, by what these offer and not by their types."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.opening import open_image
from convscope.datasets.store.resources import available_memory
from convscope.errors import DataError

_IMAGES = ("image", "img", "pixels", "picture", "photo")
_LABELS = ("label", "labels", "target", "class", "fine_label", "y")
_REMEDY = "give (images, labels) arrays, or an object whose items are (image, target)"


@runtime_checkable
class IndexedItems(Protocol):
    """A dataset as PyTorch has it: a number of items, each (image, target) or a row with names."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Examples:
    """The images of one split, arrays or files, and their labels."""

    images: Sequence[NDArray[Any] | Path]
    labels: Sequence[Any]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def examples_of(data: object) -> Examples:
    """The images and labels of an object.

    Raises:
        DataError: it has none.
    """
    if isinstance(data, tuple | list) and len(data) == 2 and not isinstance(data[0], tuple | Mapping):
        return _of_arrays(*data)
    samples = getattr(data, "samples", None)
    if isinstance(samples, list) and samples and all(isinstance(path, str | Path) for path, _ in samples[:1]):
        transforms = ("the transform of the object is not applied: its image files are read as they are",)
        has_any = getattr(data, "transform", None) is not None or getattr(data, "transforms", None) is not None
        paths = [Path(path).absolute() for path, _ in samples]
        return Examples(paths, [label for _, label in samples], _classes(data), transforms if has_any else ())
    if not isinstance(data, IndexedItems):
        raise DataError(f"the data: an object of type {type(data).__name__}; {_REMEDY}")
    if len(data) == 0:
        raise DataError("the data: have no items; give at least one image per class")
    features = getattr(data, "features", None)
    if isinstance(features, Mapping):
        return _of_rows(data, features)
    items = [_pair(data[i], i) for i in range(len(data))]
    return Examples(_images(image for image, _ in items), [_label(label) for _, label in items], _classes(data))


def _of_arrays(images: object, labels: object) -> Examples:
    found, targets = _array(images), _array(labels)
    if found.ndim not in (3, 4) or targets.ndim == 0 or len(found) != len(targets):
        raise DataError(
            f"the data: images of the shape {found.shape} and labels of the shape {targets.shape}; give (N, H, W) or "
            "(N, H, W, C) images and N labels"
        )
    return Examples(list(found), list(targets))


def _of_rows(data: IndexedItems, features: Mapping[str, Any]) -> Examples:
    """A dataset of Hugging Face: rows with a column of images and a column of labels."""
    named = [name for name, feature in features.items() if type(feature).__name__ == "Image"]
    image = next(iter(named or [name for name in _IMAGES if name in features]), None)
    others = [name for name in features if name != image]
    with_names = [name for name in others if getattr(features[name], "names", None)]
    label = next(iter([name for name in _LABELS if name in others] or with_names), None)
    if image is None or label is None:
        raise DataError(f"the data: columns {', '.join(map(str, features))}; name them image and label")
    rows = [data[i] for i in range(len(data))]
    unused = [name for name in others if name != label]
    notes = (f"columns {', '.join(unused)} are not used",) if unused else ()
    classes = tuple(map(str, getattr(features[label], "names", None) or ()))
    return Examples(_images(row[image] for row in rows), [_label(row[label]) for row in rows], classes, notes)


def _pair(item: Any, index: int) -> tuple[Any, Any]:
    if isinstance(item, tuple | list) and len(item) >= 2:
        return item[0], item[1]
    raise DataError(f"the data: item {index} is of type {type(item).__name__}; {_REMEDY}")


def _images(items: Iterable[Any]) -> list[NDArray[Any] | Path]:
    most, used = 0.5 * available_memory(), 0
    found: list[NDArray[Any] | Path] = []
    for item in items:
        image = _image(item, len(found))
        used += image.nbytes if isinstance(image, np.ndarray) else 0
        if used > most:
            raise DataError("the data: do not fit in half of the free memory; give a folder of image files instead")
        found.append(image)
    colour = {image.shape[2] for image in found if isinstance(image, np.ndarray) and image.dtype == np.uint8}
    if colour == {1, 3}:
        return [
            image.repeat(3, 2) if isinstance(image, np.ndarray) and image.shape[2] == 1 else image for image in found
        ]
    return found


def _image(item: Any, index: int) -> NDArray[Any] | Path:
    """(H, W, C) pixels, or a file."""
    if isinstance(item, Mapping) and ("bytes" in item or "path" in item):
        item = item.get("bytes") or item.get("path")
    if isinstance(item, str | Path):
        return Path(item).absolute()
    if isinstance(item, bytes):
        with open_image(io.BytesIO(item)) as opened:
            return _image(opened.copy(), index)
    if isinstance(item, Image.Image):
        grey = item.mode in ("1", "L", "LA", "I", "F") or item.mode.startswith("I;")
        deep = item.mode.startswith(("I", "F"))
        pixels = np.asarray(item if deep else item.convert("L" if grey else "RGB"))
    else:
        pixels = _array(item)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.dtype.kind not in "buif":
        raise DataError(f"the data: image {index} is of type {type(item).__name__} and shape {pixels.shape}; {_REMEDY}")
    return pixels.transpose(1, 2, 0) if pixels.shape[2] not in (1, 3) and pixels.shape[0] in (1, 3) else pixels


def _label(value: Any) -> Any:
    """A number, a text, or an array of several."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Image.Image):
        return np.asarray(value)
    found = _array(value)
    return found.item() if found.ndim == 0 else found


def _array(value: Any) -> NDArray[Any]:
    """The array of an array, a tensor on any device, or a list."""
    for method in ("detach", "cpu"):
        value = getattr(value, method)() if hasattr(value, method) else value
    try:
        found = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError(f"the data: an object of type {type(value).__name__} is no array; {_REMEDY}") from error
    if found.dtype.hasobject:
        raise DataError(f"the data: an array of Python objects; {_REMEDY}")
    return found


def _classes(data: object) -> tuple[str, ...]:
    names = getattr(data, "classes", None)
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()

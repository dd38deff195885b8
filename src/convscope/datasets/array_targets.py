"""The targets that an array of labels means, by its shape and values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.class_checks import in_order
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.labels import LABELS
from convscope.datasets.targets.mask_files import IGNORE
from convscope.datasets.targets.masks import MASKS
from convscope.datasets.targets.numbers import NUMBERS
from convscope.errors import DataError

_UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class ArrayTargets:
    """Targets as in `Dataset`."""

    kind: str
    targets: NDArray[Any]
    classes: tuple[str, ...]
    unknown: Sequence[str]
    """Why each image has no target; empty if it has one."""
    masks: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()


def targets_of(
    source: str, labels: Sequence[NDArray[Any]], names: tuple[str, ...], wanted: tuple[str | None, tuple[int, ...]]
) -> ArrayTargets:
    """Targets of the labels of all splits.

    (N,) or (N, 1) whole numbers or texts are classes, other numbers are numbers; (N, K) of 0 and 1 are classes if each
    row has a single 1, else labels; (N, H, W) of the size of the images are masks.

    Args:
        source: for errors.
        labels: one array per split, of one number of dimensions.
        names: names of the labels 0, 1 ...; empty: the labels themselves.
        wanted: the requested kind of target or None, and (H, W) of the images.

    Raises:
        DataError: the labels are none of these.
    """
    kind, size = wanted
    flat = [array[..., 0] if array.ndim in (2, 4) and array.shape[-1] == 1 else array for array in labels]
    if len({array.shape[1:] for array in flat}) > 1 or any(array.dtype.kind not in "buifUS" for array in flat):
        raise DataError(f"{source}: its labels are no whole numbers, texts or masks of one shape; give one per image")
    joined = np.concatenate([_text(array) for array in flat])
    if joined.ndim == 3 and joined.shape[1:] == size and joined.dtype.kind in "bui":
        return _masks(source, joined, names)
    if joined.ndim == 2 and joined.dtype.kind != "U":
        return _columns(joined, names, kind)
    if joined.ndim == 1 and joined.dtype.kind != "U" and (kind == NUMBERS.name or not _are_whole(joined)):
        return ArrayTargets(NUMBERS.name, joined.astype(np.float32)[:, None], ("label",), _not_finite(joined))
    if joined.ndim == 1:
        return _classes(source, joined, names)
    raise DataError(
        f"{source}: its labels have the shape {joined.shape}; give (N,), (N, K), or masks of the images' size"
    )


def _text(array: NDArray[Any]) -> NDArray[Any]:
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _are_whole(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "bui" or bool(np.isfinite(values).all() and (np.rint(values) == values).all())


def _not_finite(values: NDArray[Any]) -> list[str]:
    return ["" if one else "its label is no number" for one in np.isfinite(values)]


def _classes(source: str, values: NDArray[Any], names: tuple[str, ...]) -> ArrayTargets:
    if values.dtype.kind == "U":
        classes = in_order(str(value) for value in values)
        index = {name: i for i, name in enumerate(classes)}
        targets = np.array([index[str(value)] for value in values], np.int64)
        return ArrayTargets(CLASSES.name, targets, classes, [""] * len(values))
    numbers = values.astype(np.int64)
    unknown = (numbers == _UNKNOWN) & bool((numbers >= 0).any())
    found = np.unique(numbers[~unknown])
    if names:
        if found[0] < 0 or found[-1] >= len(names):
            raise DataError(
                f"{source}: has the label {found[-1]}, and there are {len(names)} class names; correct them"
            )
        targets, classes = np.where(unknown, 0, numbers), names
    else:
        targets, classes = np.searchsorted(found, numbers).clip(max=len(found) - 1), tuple(map(str, found.tolist()))
    return ArrayTargets(CLASSES.name, targets, classes, ["its label is -1, unknown" if one else "" for one in unknown])


def _columns(values: NDArray[Any], names: tuple[str, ...], kind: str | None) -> ArrayTargets:
    columns = names if len(names) == values.shape[1] else tuple(map(str, range(values.shape[1])))
    known = [""] * len(values)
    if kind == NUMBERS.name or not np.isin(values, (0, 1)).all():
        finite = ["" if row.all() else "a label is no number" for row in np.isfinite(values)]
        return ArrayTargets(NUMBERS.name, values.astype(np.float32), columns, finite)
    if kind != LABELS.name and (values.sum(1) == 1).all():
        note = "each row of the labels has a single 1, whose column is the class"
        return ArrayTargets(CLASSES.name, values.argmax(1).astype(np.int64), columns, known, notes=(note,))
    return ArrayTargets(LABELS.name, values.astype(np.float32), columns, known)


def _masks(source: str, values: NDArray[Any], names: tuple[str, ...]) -> ArrayTargets:
    found = np.unique(values)
    classes = [int(value) for value in found if not (names and value == IGNORE >= len(names))]
    if len(classes) > IGNORE - 1 or (names and (classes[0] < 0 or classes[-1] >= len(names))):
        raise DataError(
            f"{source}: its masks hold {len(found)} values from {found[0]} to {found[-1]}; give one value per class"
        )
    codes = list(range(len(names))) if names else classes
    masks = np.full(values.shape, IGNORE, np.uint8)
    for index, value in enumerate(codes):
        masks[values == value] = index
    present = np.stack([(masks == index).any((1, 2)) for index in range(len(codes))], 1).astype(np.float32)
    shown = names or tuple(map(str, codes))
    return ArrayTargets(MASKS.name, present, shown, [""] * len(values), masks)

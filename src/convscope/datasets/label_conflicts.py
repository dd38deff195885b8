"""Copies of one image with different labels: one of the labels is wrong."""

from filecmp import cmp

import numpy as np

from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates
from convscope.datasets.inputs.opening import open_image, quiet_pillow
from convscope.errors import DataError

_SHOWN = 3
_COMPARED = 1000  # pairs whose files are compared; more would take long, and the first show what is wrong


def label_conflicts(dataset: Dataset, duplicates: Duplicates) -> list[tuple[int, int]]:
    """Pairs of images that are equal, pixel by pixel in their files, and have different targets.

    Images that are equal only at the size of the network's input, such as blank middles of long ones, are not among
    them. Masks are not compared.

    Args:
        dataset: N images.
        duplicates: of the same N images.
    """
    if dataset.kind.has_masks:
        return []
    equal = [(first, second) for first, second, distance in duplicates.pairs if distance == 0]
    differing = [pair for pair in equal if _differ(dataset, *pair)][:_COMPARED]
    with quiet_pillow():
        return [pair for pair in differing if _is_same_image(dataset, *pair)]


def conflict_note(dataset: Dataset, conflicts: list[tuple[int, int]]) -> str:
    """A sentence that names the conflicts and says what to do."""
    shown = "; ".join(
        f"{_labelled(dataset, first)} and {_labelled(dataset, second)}" for first, second in conflicts[:_SHOWN]
    )
    more = f"; and {len(conflicts) - _SHOWN:,} more" if len(conflicts) > _SHOWN else ""
    pairs = "1 pair" if len(conflicts) == 1 else f"{len(conflicts):,} pairs"
    return f"the same image is labelled {shown}{more} ({pairs}); remove the copy with the wrong label of each pair"


def _differ(dataset: Dataset, first: int, second: int) -> bool:
    return not np.array_equal(
        dataset.targets[first], dataset.targets[second], equal_nan=dataset.targets.dtype.kind == "f"
    )


def _labelled(dataset: Dataset, row: int) -> str:
    """The label and the name of an image: cat (a/x.png)."""
    tags = dataset.kind.tags(dataset.targets[row], dataset.classes)
    return f"{' and '.join(tags) or 'nothing'} ({dataset.names[row]})"


def _is_same_image(dataset: Dataset, first: int, second: int) -> bool:
    if not isinstance(dataset.images, tuple):
        return np.array_equal(dataset.images[first], dataset.images[second])
    one, other = dataset.images[first], dataset.images[second]
    if not np.array_equal(dataset.sizes[first], dataset.sizes[second]):
        return False
    try:
        if cmp(one, other, shallow=False):
            return True
        with open_image(one) as a, open_image(other) as b:
            return a.mode == b.mode and a.size == b.size and np.array_equal(np.asarray(a), np.asarray(b))
    except (OSError, DataError):
        return False

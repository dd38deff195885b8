"""Names of classes that differ by a hair."""

from itertools import combinations

import numpy as np

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding

MOST_CLASSES = 1000


def similar_class_names(view: DataView) -> Finding | None:
    """Find class names that differ only by case, spaces, punctuation, a plural s, or one letter of six or more."""
    names = view.classes[:MOST_CLASSES]
    pairs = [(i, j) for i, j in combinations(range(len(names)), 2) if _alike(names[i], names[j])]
    if not pairs:
        return None
    first, second = pairs[0]
    sizes = np.bincount(view.labels[view.labels >= 0], minlength=len(view.classes))
    sized = f" ({sizes[first]:,} and {sizes[second]:,} images)" if view.has_labels else ""
    more = f", and {len(pairs) - 1} more such pairs" if len(pairs) > 1 else ""
    return Finding(
        "similar_class_names", 0.6, f"classes {names[first]} and {names[second]}",
        f"the names of {names[first]!r} and {names[second]!r}{sized} differ by a hair, so that they may be one "
        f"class{more}",
        float(len(pairs)), 0.0,
        Change(f"rename the one like the other if they are one class: {names[second]} to {names[first]}"),
    )  # fmt: skip


def _alike(first: str, second: str) -> bool:
    one, other = (_plain(name) for name in (first, second))
    if one == other:
        return True
    if not (one.isalpha() and other.isalpha()):  # numbers that differ are different classes
        return False
    if one.rstrip("s") == other.rstrip("s"):
        return True
    return min(len(one), len(other)) >= 6 and abs(len(one) - len(other)) <= 1 and _one_edit(one, other)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter is inserted, deleted, replaced, or swapped with the next."""
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    swapped = rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:]
    return rest[1:] == other_rest[1:] or rest[1:] == other_rest or rest == other_rest[1:] or swapped

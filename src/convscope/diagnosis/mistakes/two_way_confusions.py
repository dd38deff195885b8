"""Pairs of classes that are taken for each other in both directions."""

import numpy as np

from convscope.diagnosis.finding import Change, Finding, per_cent
from convscope.diagnosis.mistakes.view import MistakeView

LEAST_SHARE = 0.25  # of each class that is taken for the other
LEAST_IMAGES = 10  # of each class
SHOWN = 12


def two_way_confusions(view: MistakeView) -> Finding | None:
    """Find two classes of which a quarter or more is taken for the other, both ways: they may be one class."""
    count = len(view.classes)
    cells = np.bincount(view.labels * count + view.predicted, minlength=count**2).reshape(count, count)
    totals = cells.sum(1)
    shares = cells / np.maximum(totals, 1)[:, None]
    both = np.triu(np.minimum(shares, shares.T), 1) * (np.minimum(totals[:, None], totals[None]) >= LEAST_IMAGES)
    if count < 3 or both.max() < LEAST_SHARE:
        return None
    first, second = (int(i) for i in np.unravel_index(both.argmax(), both.shape))
    one, other = view.classes[first], view.classes[second]
    mixed = ((view.labels == first) & (view.predicted == second)) | (
        (view.labels == second) & (view.predicted == first)
    )
    images = tuple(view.names[i] for i in np.flatnonzero(mixed)[:SHOWN])
    return Finding(
        "two_way_confusions", 0.45, f"classes {one} and {other}",
        f"{per_cent(shares[first, second])} of {one} are taken for {other}, and {per_cent(shares[second, first])} of "
        f"{other} for {one}",
        float(both.max()), LEAST_SHARE,
        Change(f"compare their images: join {one} and {other} if their labels overlap, or add images that differ"),
        images=images,
    )  # fmt: skip

"""Groups of images that a network's features have in common, and readable names for them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.mistakes.view import MistakeView

LEAST_IMAGES = 10  # of a group
MOST_GROUPS = 5  # of a class
COMPONENTS = 16
LEAST_DIFFERENCE = 0.7  # of a property's mean in the group, in standard deviations, so that it names the group
PROPERTIES = {
    "brightness": ("dark", "bright"),
    "contrast": ("low-contrast", "high-contrast"),
    "sharpness": ("blurred", "sharp"),
}
"""Cues of one figure, and the words for low and high values."""


def clusters(view: MistakeView) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield a name, (N,) the images in a group, and (N,) those of its class, for k-means groups of each class.

    Groups are found without looking at the predictions, so that their shares of mistakes can be tested.
    """
    if view.features is None:
        return
    for k, name in enumerate(view.classes):
        among = view.labels == k
        count = min(MOST_GROUPS, int(among.sum()) // (2 * LEAST_IMAGES))
        if count < 2:
            continue
        group, nearest = _grouped(view.features[among], count)
        rows = np.flatnonzero(among)
        for number in range(count):
            inside = np.zeros(len(among), bool)
            inside[rows[group == number]] = True
            if LEAST_IMAGES <= inside.sum() <= among.sum() - LEAST_IMAGES:
                yield f"{_named(view, inside, among, view.names[rows[nearest[number]]], name)}", inside, among


def _grouped(x: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (M,) the group of each row, and (count,) the row nearest to each group's centre."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    z = PCA(min(COMPONENTS, len(x) - 1, x.shape[1]), random_state=0).fit_transform(x)
    fitted = KMeans(count, n_init=4, random_state=0).fit(z)
    return fitted.labels_.astype(np.int64), fitted.transform(z).argmin(0)


def _named(view: MistakeView, inside: NDArray[np.bool_], among: NDArray[np.bool_], example: str, name: str) -> str:
    """Return the property in which a group differs most from the rest of its class, or an example."""
    found = []
    for cue, words in PROPERTIES.items():
        if cue in view.cues:
            values = view.cues[cue][:, 0]
            difference = float(values[inside].mean() - values[among & ~inside].mean())
            found.append((difference / max(float(values[among].std()), 1e-9), words))
    most, words = max(found, key=lambda one: abs(one[0]), default=(0.0, ("", "")))
    if abs(most) < LEAST_DIFFERENCE:
        return f"images of class {name} like {example}"
    return f"{words[most > 0]} images of class {name} like {example}"

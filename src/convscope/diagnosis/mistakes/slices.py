"""Groups of images with a common property that have far more mistakes than the rest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.finding import Change, Finding, per_cent
from convscope.diagnosis.mistakes.clusters import PROPERTIES, clusters
from convscope.diagnosis.mistakes.view import MistakeView

LEAST_IMAGES = 10
LEAST_DIFFERENCE = 0.2  # of the shares of mistakes
MOST_P = 0.01  # after correction for the number of groups tried
SHOWN = 12


@dataclass(frozen=True, eq=False)
class Slice:
    """Images with a property: `inside` (N,), of those that `among` (N,) compares them with."""

    name: str
    inside: NDArray[np.bool_]
    among: NDArray[np.bool_]


def slices(view: MistakeView) -> Finding | None:
    """Find the lower or upper third of a property, or a group of like images of a class, with far more mistakes.

    Groups are k-means clusters of the network's last features. Fisher's exact test compares each with the other images;
    p-values are multiplied by the number of groups tried. Eyuboglu et al. 2022, "Domino", arXiv:2203.14960, describe
    the task.
    """
    tried = list(_slices(view))
    best: tuple[float, Slice, float, float] | None = None
    for one in tried:
        inside, rest = view.wrong[one.inside], view.wrong[one.among & ~one.inside]
        difference = float(inside.mean() - rest.mean())
        if difference < LEAST_DIFFERENCE:
            continue
        p = _p_value(inside, rest) * len(tried)
        if p < MOST_P and (best is None or p < best[0]):
            best = (p, one, float(inside.mean()), float(rest.mean()))
    if best is None:
        return None
    p, one, share, rest_share = best
    rows = np.flatnonzero(one.inside & view.wrong)[:SHOWN]
    count = int(one.inside.sum())
    return Finding(
        "slices", min(0.75, 0.4 + (share - rest_share) * count / len(view.labels)), one.name,
        f"{per_cent(share)} of these {count} validation images are predicted wrongly, and {per_cent(rest_share)} of "
        f"the others (p = {p:.1g} after correction)",
        share - rest_share, LEAST_DIFFERENCE, Change(f"add training images like these: {one.name}"),
        images=tuple(view.names[i] for i in rows),
    )  # fmt: skip


def _p_value(inside: NDArray[np.bool_], rest: NDArray[np.bool_]) -> float:
    """Return the probability of at least so many more mistakes inside by chance."""
    from scipy.stats import fisher_exact  # here, because importing it takes longer than all other checks together

    table = [[int(inside.sum()), int((~inside).sum())], [int(rest.sum()), int((~rest).sum())]]
    return float(fisher_exact(table, alternative="greater").pvalue)


def _slices(view: MistakeView) -> Iterator[Slice]:
    """Yield thirds by property, of all images and of each class, then groups by features."""
    everything = np.ones(len(view.labels), bool)
    populations = [("images", everything)]
    populations += [(f"images of class {name}", view.labels == k) for k, name in enumerate(view.classes)]
    for cue, words in PROPERTIES.items():
        if cue not in view.cues:
            continue
        values = view.cues[cue][:, 0]
        low, high = np.quantile(values, [1 / 3, 2 / 3])
        for word, third in zip(words, (values <= low, values >= high), strict=True):
            for name, among in populations:
                inside = among & third
                if LEAST_IMAGES <= inside.sum() <= among.sum() - LEAST_IMAGES:
                    yield Slice(f"{word} {name}", inside, among)
    for name, inside, among in clusters(view):
        yield Slice(name, inside, among)

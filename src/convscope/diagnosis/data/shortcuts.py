"""Simple cues from which the labels can be predicted: the network may learn them in place of the objects."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.cues import OF_PLACES, Cue, file_cues, pixel_cues
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, per_cent

LEAST_ACCURACY = 0.95  # balanced, of one class against the others; docs/diagnose/data.md says what it was chosen on
SMALL = 16  # pixels a side: in smaller images, borders and corners show the objects
MOST_IMAGES = 2000
LEAST_OF_CLASS = 10
FOLDS = 5
PERMUTATIONS = 39
MOST_P = 0.01  # after correction for the number of cues and classes
SHOWN = 12


@dataclass(frozen=True, eq=False)
class CueAccuracy:
    """How well a cue tells one class from the others, and how well it does with permuted labels."""

    cue: str
    label: int
    accuracy: float
    null: NDArray[np.float64]
    p: float


def shortcuts(view: DataView) -> Finding | None:
    """Find the cue that best tells a class from the others: brightness, colour, borders, sizes of files ...

    A small decision tree per cue predicts the class of held-out images, with copies in one fold. Reported is the class
    with the best balanced accuracy, if it is high and far above what the same tree reaches with permuted labels: the
    p-value, from the mean and deviation of 39 permutations, is multiplied by the number of cues and classes tried.
    Geirhos et al. 2020, "Shortcut learning in deep neural networks".
    """
    best = strongest_cue(view)
    if best is None:
        return None
    labels = view.labels
    name = view.classes[best.label]
    null = float(best.null.mean())
    others = "other class" if len(view.classes) == 2 else "other classes"
    images = tuple(view.names[i] for i in np.flatnonzero(labels == best.label)[:SHOWN])
    return Finding(
        "shortcuts", min(0.95, best.accuracy), f"class {name}",
        f"{best.cue} alone tells {name} from the {others} with {per_cent(best.accuracy)} balanced accuracy on held-out "
        f"images ({per_cent(null)} with permuted labels)",
        best.accuracy, null,
        Change(f"take images of {name} and the {others} that do not differ in {best.cue}, or equalise it"),
        images=images, series={"permuted": tuple(best.null.tolist())},
    )  # fmt: skip


def strongest_cue(view: DataView) -> CueAccuracy | None:
    """Return the cue that is a shortcut in the data, or None."""
    if not view.has_labels:
        return None
    rows = _rows(view)
    return best_cue(view, rows) if len(np.unique(view.labels[rows])) > 1 else None


def best_cue(view: DataView, rows: NDArray[np.int64]) -> CueAccuracy | None:
    """Return the cue with the highest accuracy above its threshold and its null, or None."""
    labels, groups = view.labels[rows], view.duplicates.groups[rows]
    cues = {**pixel_cues(view, rows), **file_cues(view, rows)}
    if min(view.prepared.store.pixels.shape[2:]) < SMALL:
        cues = {name: x for name, x in cues.items() if name not in OF_PLACES}
    found = []
    for name, x in cues.items():
        accuracies = held_out_accuracies(x, labels, groups, len(view.classes))
        label = int(np.nanargmax(accuracies))
        if accuracies[label] >= LEAST_ACCURACY:
            found.append((float(accuracies[label]), name, label, x))
    for accuracy, name, label, x in sorted(found, key=lambda one: -one[0]):
        null = _null(x, labels, groups, len(view.classes))
        deviation = max(float(null.std(ddof=1)), 1e-3)
        tried = len(cues) * len(np.unique(labels))
        p = tried * NormalDist().cdf(-(accuracy - float(null.mean())) / deviation)
        if p < MOST_P and accuracy > null.max():
            return CueAccuracy(name, label, accuracy, null, p)
    return None


def held_out_accuracies(
    x: Cue, labels: NDArray[np.int64], groups: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Return (K,) the balanced accuracy of each class against the others on held-out images; nan for absent ones."""
    from sklearn.model_selection import GroupKFold
    from sklearn.tree import DecisionTreeClassifier

    predicted = np.zeros(len(labels), np.int64)
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(x, labels, groups):
        tree = DecisionTreeClassifier(max_depth=5, min_samples_leaf=4, class_weight="balanced", random_state=0)
        predicted[test] = tree.fit(x[train], labels[train]).predict(x[test])
    result = np.full(classes, np.nan)
    for k in np.unique(labels):
        is_class, message = labels == k, predicted == k
        result[k] = (message[is_class].mean() + (~message[~is_class]).mean()) / 2
    return result


def _null(x: Cue, labels: NDArray[np.int64], groups: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return the highest accuracy of any class for each of some permutations of the labels."""
    generator = np.random.default_rng(0)
    shuffled = (generator.permutation(labels) for _ in range(PERMUTATIONS))
    return np.array([np.nanmax(held_out_accuracies(x, one, groups, classes)) for one in shuffled])


def _rows(view: DataView) -> NDArray[np.int64]:
    """Return a sample of the images, of classes that are large enough."""
    counts = np.bincount(view.labels, minlength=len(view.classes))
    rows = np.flatnonzero(counts[view.labels] >= LEAST_OF_CLASS)
    if len(rows) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_IMAGES])
    return rows

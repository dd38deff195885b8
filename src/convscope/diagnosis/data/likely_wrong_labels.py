"""Labels that are likely wrong: images that other images say belong to another class."""

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.descriptors import descriptors
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, per_cent, some_names

MOST_IMAGES = 5000
FOLDS = 5
LEAST_OF_CLASS = 10
LEAST_ACCURACY = 0.75  # held out, from which the predictions can judge labels
LEAST_EXCESS = 1.5  # times the number that the probabilities themselves expect to be wrong, and three deviations
LEAST_PROBABILITY = 0.9  # of the other class
SHOWN = 50


def likely_wrong_labels(view: DataView) -> Finding | None:
    """Find labels that contradict confident predictions of a classifier that did not see them.

    A logistic regression on descriptors of the images predicts each image from the other folds; copies are in one
    fold. A label is doubtful where another class has a probability of at least 0.9 and at least that class's mean
    probability on its own images (Northcutt et al. 2021, "Confident learning", the off-diagonal of the confident
    joint). Nothing is said where the held-out accuracy is below 75 %, or where no more predictions contradict their
    labels than their probabilities expect: the predictions are then the doubtful ones.
    """
    if not view.has_labels:
        return None
    counts = np.bincount(view.labels, minlength=len(view.classes))
    rows = np.flatnonzero(counts[view.labels] >= LEAST_OF_CLASS)
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_IMAGES])
    labels = view.labels[rows]
    if len(np.unique(labels)) < 2:
        return None
    probabilities = held_out_probabilities(descriptors(view, rows), labels, view.duplicates.groups[rows])
    known = np.unique(labels)
    accuracy = float((known[probabilities.argmax(1)] == labels).mean())
    if accuracy < LEAST_ACCURACY:
        return None
    order, expected = doubtful(probabilities, np.searchsorted(known, labels))
    if len(order) < LEAST_EXCESS * expected + 3 * expected**0.5 + 1:
        return None
    files = tuple(view.names[i] for i in rows[order])
    first = order[0]
    seen = view.classes[known[probabilities[first].argmax()]]
    share = len(files) / len(rows)
    return Finding(
        "likely_wrong_labels", min(0.8, 0.3 + 5 * share), f"{len(files):,} file{'s' if len(files) > 1 else ''}",
        f"{len(files):,} of {len(rows):,} labels contradict a classifier that did not see them and is right for "
        f"{per_cent(accuracy)}: {files[0]} is labelled {view.classes[labels[first]]} and looks like {seen}",
        share, None, Change(f"look at the labels of {some_names(files)}", files=files), images=files[:SHOWN],
    )  # fmt: skip


def doubtful(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """Return the rows with doubtful labels, the most doubtful first, and how many a calibrated classifier expects.

    Args:
        probabilities: (N, K) of predictions that did not see the row's label.
        labels: (N,) column of each label.
    """
    own = probabilities[np.arange(len(labels)), labels]
    confidence = np.array([own[labels == k].mean() for k in range(probabilities.shape[1])])
    other = probabilities.argmax(1)
    high = probabilities.max(1)
    sure = high >= np.maximum(confidence[other], LEAST_PROBABILITY)
    rows = np.flatnonzero(sure & (other != labels))
    return rows[np.argsort(own[rows] - high[rows], kind="stable")], float((1 - high[sure]).sum())


def held_out_probabilities(
    x: NDArray[np.float32], labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (N, K) probabilities of each row from a classifier that was fitted to the other folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = np.unique(labels)
    found = np.zeros((len(labels), len(known)))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(x, labels, groups):
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300)).fit(x[train], labels[train])
        found[np.ix_(test, np.searchsorted(known, fitted.classes_))] = fitted.predict_proba(x[test])
    return found

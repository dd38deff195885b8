"""How much simple classifiers can make of a network's vectors: linear probe, neighbours, support vector machine."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.errors import DataError

NEIGHBOURS = 5
STRENGTH = 0.01  # C of the linear probe on standardised vectors: few images and many numbers want a firm hand


def linear() -> Any:
    """Logistic regression on standardised vectors (Alain & Bengio 2016: linear classifier probes)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))


def neighbours(images: int) -> Any:
    """The majority of the nearest by angle."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(min(NEIGHBOURS, images), metric="cosine")


def support_vectors() -> Any:
    """A machine with radial basis functions on standardised vectors."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC())


def probe_scores(
    x: NDArray[np.floating], y: NDArray[np.int64], asked_x: NDArray[np.floating], asked_y: NDArray[np.int64]
) -> dict[str, float]:
    """Accuracy in [0, 1] of each classifier, trained on vectors x (N, C) with classes y (N,), on others.

    Raises:
        DataError: fewer than two classes to tell apart, or nothing to ask about.
    """
    if len(np.unique(y)) < 2 or not len(asked_y):
        classes = len(np.unique(y))
        raise DataError(f"probe: {classes} classes to learn, {len(asked_y)} images to ask about; give 2 and 1 or more")
    makers: dict[str, Callable[[], Any]] = {
        "linear probe": linear,
        f"{NEIGHBOURS} nearest neighbours": lambda: neighbours(len(y)),
        "support vector machine": support_vectors,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence: the score is what counts
        return {name: float(make().fit(x, y).score(asked_x, asked_y)) for name, make in makers.items()}

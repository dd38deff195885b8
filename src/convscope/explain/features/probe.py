"""How much simple classifiers can make of a network's vectors: linear probe, neighbours, support vector machine."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.errors import DataError

SHARES = (0.1, 0.25, 0.5, 1.0)
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
    x: NDArray[np.floating], y: NDArray[np.int64], test_x: NDArray[np.floating], test_y: NDArray[np.int64]
) -> dict[str, float]:
    """Accuracy in [0, 1] of each classifier, trained on vectors x (N, C) with classes y (N,), on others.

    Raises:
        DataError: fewer than two classes to tell apart, or nothing to ask about.
    """
    if len(np.unique(y)) < 2 or not len(test_y):
        classes = len(np.unique(y))
        raise DataError(f"probe: {classes} classes to learn, {len(test_y)} images to ask about; give 2 and 1 or more")
    makers: dict[str, Callable[[], Any]] = {
        "linear probe": linear,
        f"{NEIGHBOURS} nearest neighbours": lambda: neighbours(len(y)),
        "support vector machine": support_vectors,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence: the score is what counts
        return {name: float(make().fit(x, y).score(test_x, test_y)) for name, make in makers.items()}


def learning_curve(
    x: NDArray[np.floating],
    y: NDArray[np.int64],
    test_x: NDArray[np.floating],
    test_y: NDArray[np.int64],
    seed: int = 0,
) -> list[tuple[int, float]]:
    """The linear probe's accuracy after a tenth, a quarter, a half and all of the images: (images, accuracy) each.

    A part has the same share of each class, at least one image of it, and holds the smaller parts.
    """
    generator = np.random.default_rng(seed)
    kinds = [generator.permutation(np.flatnonzero(y == kind)) for kind in np.unique(y)]
    found = []
    for share in SHARES:
        rows = np.concatenate([rows[: max(1, round(share * len(rows)))] for rows in kinds])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append((len(rows), float(linear().fit(x[rows], y[rows]).score(test_x, test_y))))
    return found


def with_twice_the_images(curve: Sequence[tuple[int, float]], asked: int) -> float:
    """What the curve suggests for twice the images: error = a n^-b (Hestness et al. 2017), fitted to logarithms.

    An error of 0 counts as half an image of the `asked` ones; the estimate is never below the last point.
    """
    images, scores = (np.array(column, float) for column in zip(*curve, strict=True))
    errors = np.maximum(1 - scores, 0.5 / asked)
    slope, start = np.polyfit(np.log(images), np.log(errors), 1)
    return float(max(scores[-1], 1 - np.exp(start + slope * np.log(2 * images[-1]))))


def baseline_scores(
    x: NDArray[Any], y: NDArray[np.int64], test_x: NDArray[Any], test_y: NDArray[np.int64]
) -> dict[str, float]:
    """Accuracy of what any network has to beat: the commonest class, and the nearest image in pixels (N, P)."""
    from sklearn.neighbors import KNeighborsClassifier

    nearest = KNeighborsClassifier(1).fit(x.astype(np.float32), y)
    return {
        "majority": float((test_y == np.bincount(y).argmax()).mean()),
        "pixels": float(nearest.score(test_x.astype(np.float32), test_y)),
    }

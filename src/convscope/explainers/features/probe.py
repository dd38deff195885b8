"""Accuracy of simple classifiers on a network's features: linear probe, nearest neighbours, support vector machine."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.errors import DataError

SHARES = (0.1, 0.25, 0.5, 1.0)
NEIGHBOURS = 5
REGULARISATION = 0.01  # C of the linear probe: few images with many features need strong regularisation


def linear() -> Any:
    """Return logistic regression on standardised vectors (Alain & Bengio 2016: linear classifier probes)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=1000))


def neighbours(images: int) -> Any:
    """Return a nearest-neighbour classifier with cosine distance."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(min(NEIGHBOURS, images), metric="cosine")


def support_vectors() -> Any:
    """Return a support vector machine with a radial basis function kernel on standardised vectors."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC())


def probe_scores(
    x: NDArray[np.floating], y: NDArray[np.int64], test_x: NDArray[np.floating], test_y: NDArray[np.int64]
) -> dict[str, float]:
    """Return the test accuracy in [0, 1] of each classifier, fitted to vectors x (N, C) with classes y (N,).

    Raises:
        DataError: fewer than two classes, or no test images.
    """
    if len(np.unique(y)) < 2 or not len(test_y):
        classes = len(np.unique(y))
        raise DataError(
            f"probe: {classes} classes and {len(test_y)} test images; pass at least 2 classes and 1 test image"
        )
    makers: dict[str, Callable[[], Any]] = {
        "linear probe": linear,
        f"{NEIGHBOURS} nearest neighbours": lambda: neighbours(len(y)),
        "support vector machine": support_vectors,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence warnings: only the score matters
        return {name: float(make().fit(x, y).score(test_x, test_y)) for name, make in makers.items()}


def learning_curve(
    x: NDArray[np.floating],
    y: NDArray[np.int64],
    test_x: NDArray[np.floating],
    test_y: NDArray[np.int64],
    seed: int = 0,
) -> list[tuple[int, float]]:
    """Return (images, accuracy) of the linear probe on a tenth, a quarter, a half and all of the images.

    The subsets are nested and stratified, with at least one image per class.
    """
    generator = np.random.default_rng(seed)
    per_class = [generator.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    found = []
    for share in SHARES:
        rows = np.concatenate([rows[: max(1, round(share * len(rows)))] for rows in per_class])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append((len(rows), float(linear().fit(x[rows], y[rows]).score(test_x, test_y))))
    return found


def extrapolate_to_double(curve: Sequence[tuple[int, float]], num_test: int) -> float:
    """Extrapolate the curve to twice the images: error = a n^-b (Hestness et al. 2017), fitted to logarithms.

    An error of 0 counts as half of one of the `num_test` images; the estimate is never below the last point.
    """
    images, scores = (np.array(column, float) for column in zip(*curve, strict=True))
    errors = np.maximum(1 - scores, 0.5 / num_test)
    slope, start = np.polyfit(np.log(images), np.log(errors), 1)
    return float(max(scores[-1], 1 - np.exp(start + slope * np.log(2 * images[-1]))))


def mel_mean_score(
    x: NDArray[Any], y: NDArray[np.int64], test_x: NDArray[Any], test_y: NDArray[np.int64]
) -> float:  # fmt: skip
    """Return the accuracy of an SVM on the mean and the deviation over time of each band of spectrograms.

    Args:
        x: (N, C, bands, columns) spectrograms.
        y: (N,) classes.
        test_x: (M, C, bands, columns) to predict.
        test_y: (M,) their classes.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    def summary(values: NDArray[Any]) -> NDArray[np.float64]:
        values = values.astype(np.float64)
        return np.concatenate([values.mean(3), values.std(3)], 2).reshape(len(values), -1)

    model = make_pipeline(StandardScaler(), SVC(C=10.0)).fit(summary(x), y)
    return float(model.score(summary(test_x), test_y))


def baseline_scores(
    x: NDArray[Any], y: NDArray[np.int64], test_x: NDArray[Any], test_y: NDArray[np.int64]
) -> dict[str, float]:
    """Return the accuracy of trivial baselines: the majority class, and the nearest neighbour in pixels (N, P)."""
    from sklearn.neighbors import KNeighborsClassifier

    nearest = KNeighborsClassifier(1).fit(x.astype(np.float32), y)
    return {
        "majority": float((test_y == np.bincount(y).argmax()).mean()),
        "pixels": float(nearest.score(test_x.astype(np.float32), test_y)),
    }

"""How much choosing the best of many trials flatters its score on the images that it was chosen by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convscope.errors import ConvscopeError
from convscope.runs.folder import RunFolder
from convscope.runs.predictions import load_predictions
from convscope.tuning.folder import SearchFolder

RESAMPLES = 500


@dataclass(frozen=True)
class NestedEstimate:
    """The score that the best of the trials would have on new images, with its 95 % interval.

    Attributes:
        chosen: the score of the best trial on the images that it was chosen by.
        estimate: the score of the trial that is best on a resample of the images, on those outside it.
        low: of the interval.
        high: of the interval.
        trials: how many there were to choose from.
        images: how many scores are a mean of.
    """

    chosen: float
    estimate: float
    low: float
    high: float
    trials: int
    images: int

    @property
    def flattery(self) -> float:
        """How much higher the score of the best trial is than on new images; not negative."""
        return max(0.0, self.chosen - self.estimate)


def nested_estimate(scores: NDArray[np.float64], seed: int = 0) -> NestedEstimate:
    """Choose on bootstrap samples of the images, and score the choice on the images outside the sample.

    Tsamardinos et al. 2018, "Bootstrapping the out-of-sample predictions for efficient and accurate cross-validation"
    (BBC-CV), on one validation split. The estimate is a little low, since a choice on fewer images is a worse one.

    Args:
        scores: (T, N) of each image by each trial; the mean of a row is a trial's score.
        seed: of the resampling.
    """
    trials, images = scores.shape
    random = np.random.default_rng(seed)
    counts = random.multinomial(images, np.full(images, 1 / images), RESAMPLES)
    inside = counts @ scores.T
    outside = (counts == 0).astype(np.float64)
    best = inside.argmax(axis=1)
    found = np.einsum("bn,bn->b", outside, scores[best]) / np.maximum(outside.sum(axis=1), 1)
    low, high = np.quantile(found, [0.025, 0.975])
    return NestedEstimate(
        float(scores.mean(axis=1).max()), float(found.mean()), float(low), float(high), trials, images
    )


def estimate_of(folder: SearchFolder, numbers: Sequence[int]) -> NestedEstimate | None:
    """Return the estimate from the stored predictions of trials; None where the score is not a mean over images."""
    rows = []
    for number in numbers:
        try:
            predictions = load_predictions(RunFolder(folder.trial(number)), "validation")
        except ConvscopeError:  # deleted to save space
            continue
        scores = predictions.task.image_scores(predictions.meter)
        if scores is None:
            return None
        rows.append(scores)
    return nested_estimate(np.stack(rows)) if len(rows) > 1 else None

"""Which images the network gets wrong most surely, and which right ones it is least sure of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Verdict:
    """One image's answer: positions are rows of the arrays given, classes are indices."""

    row: int
    truth: int
    answer: int
    confidence: float


def verdicts(probabilities: NDArray[np.floating], targets: NDArray[np.int64]) -> list[Verdict]:
    """All answers, as (N, K) probabilities and (N,) class indices say."""
    answers = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    return [Verdict(i, int(targets[i]), int(answers[i]), float(sure[i])) for i in range(len(targets))]


def confident_mistakes(given: list[Verdict], most: int = 12) -> list[Verdict]:
    """The wrong answers, surest first: where labels are wrong, classes overlap, or the network looks elsewhere."""
    wrong = [v for v in given if v.answer != v.truth]
    return sorted(wrong, key=lambda v: -v.confidence)[:most]


def unsure_right(given: list[Verdict], most: int = 12) -> list[Verdict]:
    """The right answers, least sure first: what the next such image may well be called wrong."""
    right = [v for v in given if v.answer == v.truth]
    return sorted(right, key=lambda v: v.confidence)[:most]

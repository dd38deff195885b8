"""A small network trained on a hundred of the built-in digits, so that it overfits: for pictures without a run."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from convscope.layouts import digits

Array = NDArray[np.float64]
TRAIN, VALIDATION, EPOCHS, HIDDEN, RATE, NOISE = 100, 500, 60, 32, 0.4, 10
SHOWN = 3  # index of the image of the pages among the validation images, where the digit is clear


@dataclass(frozen=True)
class DigitsNetwork:
    """Results of the training: losses by epoch, an image (8, 8), its 10 logits, and the (10, 10) confusion matrix."""

    train_losses: list[float]
    validation_losses: list[float]
    image: Array
    logits: Array
    confusion: NDArray[np.int64]


@cache
def train_on_digits() -> DigitsNetwork:
    """Train 64-32-10 units with ReLU on 100 digits, of which ten have a wrong label, by gradient descent.

    The wrong labels make the two losses diverge, as they do in real data of this size.
    """
    data, generator = digits(), np.random.default_rng(0)
    order = generator.permutation(len(data.names))[: TRAIN + VALIDATION]
    x = np.asarray(data.images)[order].reshape(len(order), -1) / 255
    y = np.asarray(data.targets)[order]
    labels = y[:TRAIN].copy()
    labels[:NOISE] = (labels[:NOISE] + 1) % 10
    target = np.eye(10)[labels]
    first = generator.normal(0, np.sqrt(2 / 64), (64, HIDDEN))
    last = generator.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, 10))
    losses: tuple[list[float], list[float]] = [], []
    for _ in range(EPOCHS):
        for _ in range(10):
            hidden = np.maximum(x[:TRAIN] @ first, 0)
            error = (_softmax(hidden @ last) - target) / TRAIN
            first = first - RATE * x[:TRAIN].T @ ((error @ last.T) * (hidden > 0))
            last = last - RATE * hidden.T @ error
        scores = np.maximum(x @ first, 0) @ last
        losses[0].append(_loss(scores[:TRAIN], labels))
        losses[1].append(_loss(scores[TRAIN:], y[TRAIN:]))
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (y[TRAIN:], scores[TRAIN:].argmax(1)), 1)
    return DigitsNetwork(*losses, x[TRAIN + SHOWN].reshape(8, 8), scores[TRAIN + SHOWN], counts)


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _loss(scores: Array, labels: NDArray[np.int64]) -> float:
    return float(-np.log(_softmax(scores)[np.arange(len(labels)), labels]).mean())

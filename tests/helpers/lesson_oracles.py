"""Compares the answers of exercises with independent calculations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from convscope.lessons import TOPICS
from convscope.lessons.answers import Numbers
from convscope.lessons.exercise import make

Oracle = Callable[[dict[str, Any]], Any]


def disagreements(topic: str, oracles: dict[str, Oracle], count: int) -> list[tuple[str, int, Any, Any]]:
    """Return (kind, seed, answer, oracle's) of every exercise whose answer differs from the oracle's by over 1e-6."""
    found = []
    generators = {one.__name__: one for one in TOPICS[topic].generators}
    for kind, oracle in oracles.items():
        for seed in range(count):
            exercise = make(generators[kind], topic, seed)
            assert isinstance(exercise.answer, Numbers)
            wanted = np.asarray(oracle(exercise.given), dtype=np.float64).flatten()
            answer = np.array([float(value) for value in exercise.answer.values])
            if answer.shape != wanted.shape or not np.allclose(answer, wanted, rtol=1e-6, atol=1e-6):
                found.append((kind, seed, answer, wanted))
    return found

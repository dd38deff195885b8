"""Self tests of models: five fixed inputs, and the saved answers to them, which are compared when one is opened."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.errors import ModelError

ENVIRONMENT = "CONVSCOPE_SELF_TEST"
"""0 leaves the self test out, in this process and those that it starts."""
COUNT = 5
MOST = 64  # answers of an input that are kept, evenly spaced
TOLERANCE = 1e-3  # relative to the largest answer; kernels of other processors differ by 1e-5
LEVELS, STEP, NEXT = 256, 151, 83  # the pattern repeats after 256 values, and differs from input to input


def fixed_levels(shape: Sequence[int]) -> NDArray[np.uint8]:
    """(5, ...) the fixed inputs as levels from 0 to 255; computed from whole numbers, so equal on all machines."""
    count = math.prod(shape)
    numbers = (np.arange(count) * STEP + np.arange(count) ** 2 % 1021 + np.arange(COUNT)[:, None] * NEXT) % LEVELS
    return numbers.astype(np.uint8).reshape(COUNT, *shape)


def sampled(answers: NDArray[Any]) -> list[list[float]]:
    """Five lists of at most 64 numbers of (5, ...) answers, to 7 digits; none where one is not finite."""
    flat = answers.reshape(COUNT, -1)
    kept = flat[:, :: -(-flat.shape[1] // MOST)].astype(np.float64)
    return [[float(f"{value:.7g}") for value in row] for row in kept] if np.isfinite(kept).all() else []


def check(found: list[list[float]], expected: object, place: str | Path) -> None:
    """Compare answers with those that were saved; none were saved of networks whose answers were not finite.

    Raises:
        ModelError: they differ, or what was saved are no answers of such a network.
    """
    if not expected:
        return
    try:
        saved, now = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    except (TypeError, ValueError, OverflowError):
        saved, now = np.zeros(0), np.zeros(1)
    if saved.shape != now.shape:
        raise ModelError(f"{place}: its self test does not fit its network; copy the model again")
    largest = np.abs(saved - now).max()
    if not largest <= TOLERANCE * max(1.0, np.abs(saved).max()):
        raise ModelError(
            f"{place}: its answers to five fixed inputs differ by up to {largest:.2g} from those when it was saved; "
            "use the versions of convscope and PyTorch that saved it, or --no-self-test"
        )


def is_wanted() -> bool:
    """Whether models are tested when they are opened."""
    return os.environ.get(ENVIRONMENT, "1") != "0"

"""What the pictures of the pages show: the built-in digits, or a learner's own run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from convscope.lessons.digits_network import DigitsNetwork, train_on_digits
from convscope.models.summary.model_summary import LayerSummary

Array = NDArray[np.float64]
EDGE = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float64)
MOST_PIXELS = 20  # per side, so that three images fit next to each other into 80 columns


@dataclass(frozen=True)
class Curves:
    """Losses by epoch on the training and the validation images."""

    train: Sequence[float]
    validation: Sequence[float]


class PictureSource(Protocol):
    """Images and figures for pictures."""

    @property
    def name(self) -> str:
        """Where they are from."""

    @property
    def image(self) -> Array:
        """(H, W) grey, in [0, 1], at most 20 pixels a side."""

    @property
    def kernel(self) -> Array:
        """(k, k) weights."""

    @property
    def layers(self) -> Sequence[LayerSummary]:
        """The layers of a network."""

    @property
    def curves(self) -> Curves:
        """Losses by epoch."""

    @property
    def scores(self) -> dict[str, float]:
        """The logit of each class for `image`."""

    @property
    def confusion(self) -> tuple[Sequence[str], NDArray[np.int64]]:
        """The classes, and counts (K, K): row = true class, column = predicted class."""


class DigitsSource:
    """The built-in digits, LeNet, and a small network that is trained on 100 digits at its first use (0.1 s)."""

    name = "from the built-in digits, LeNet, and a small network trained on 100 of the digits just now"
    kernel = EDGE

    @cached_property
    def _network(self) -> DigitsNetwork:
        return train_on_digits()

    @property
    def image(self) -> Array:
        """An eight by eight digit."""
        return self._network.image

    @property
    def curves(self) -> Curves:
        """Losses of the small network, which overfits."""
        return Curves(self._network.train_losses, self._network.validation_losses)

    @property
    def scores(self) -> dict[str, float]:
        """Its logits for the image."""
        return {str(digit): value for digit, value in enumerate(self._network.logits)}

    @property
    def confusion(self) -> tuple[Sequence[str], NDArray[np.int64]]:
        """Its confusion matrix on 500 other digits."""
        return tuple("0123456789"), self._network.confusion

    @cached_property
    def layers(self) -> Sequence[LayerSummary]:
        """LeNet at 32 x 32."""
        import torch

        from convscope.models import build, resolve, summarize

        with torch.device("meta"):
            return summarize(build(resolve("lenet", 10, 1, (32, 32))), (1, 32, 32)).layers


class RunSource:
    """A learner's own run.

    Args:
        path: the run's folder.

    Raises:
        RunError: it is not a run of images, or has no network yet.
    """

    def __init__(self, path: Path) -> None:
        from convscope.lessons.run_pictures import RunPictures

        self._run = RunPictures(path)
        self.name = f"from the run {path}"

    @property
    def image(self) -> Array:
        """The first validation image, in grey."""
        return self._run.image(MOST_PIXELS)

    @property
    def kernel(self) -> Array:
        """The first filter of its first convolution; the edge kernel if it has none of that size."""
        found = self._run.kernel()
        return EDGE if found is None else found

    @cached_property
    def layers(self) -> Sequence[LayerSummary]:
        """Its layers."""
        return self._run.layers()

    @property
    def curves(self) -> Curves:
        """Its losses."""
        return Curves(*self._run.losses())

    @property
    def scores(self) -> dict[str, float]:
        """Its logits for the image."""
        return self._run.scores()

    @property
    def confusion(self) -> tuple[Sequence[str], NDArray[np.int64]]:
        """Its confusion matrix on the validation images."""
        return self._run.confusion()

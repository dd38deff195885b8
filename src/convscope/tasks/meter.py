"""Meters: collect outputs batch by batch and compute the scores of a whole split."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Arrays = Mapping[str, NDArray[Any]]


class Meter(Protocol):
    """Collects a network's outputs batch by batch and computes their scores."""

    def add(self, output: Tensor, target: Tensor) -> None:
        """Add a batch."""

    def scores(self) -> dict[str, float]:
        """All scores by name, including "loss"."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays to store on disk, from which the task can restore the meter."""

    def __len__(self) -> int:
        """Number of images added."""


class GatheringMeter:
    """A meter that keeps all outputs (N, ...) and targets (N, ...): for tasks with few outputs per image.

    Args:
        measure: maps all outputs and targets to scores.
        arrays: the result of `arrays` of an earlier meter.
    """

    def __init__(self, measure: Callable[[Tensor, Tensor], dict[str, float]], arrays: Arrays | None = None) -> None:
        self.measure = measure
        self.outputs = [torch.from_numpy(np.asarray(arrays["logits"]))] if arrays else []
        self.targets = [torch.from_numpy(np.asarray(arrays["targets"]))] if arrays else []

    def add(self, output: Tensor, target: Tensor) -> None:
        """Add a batch; it is moved to the CPU."""
        self.outputs.append(output.detach().float().cpu())
        self.targets.append(target.cpu())

    @property
    def output(self) -> Tensor:
        """All outputs so far."""
        return torch.cat(self.outputs)

    @property
    def target(self) -> Tensor:
        """All targets so far."""
        return torch.cat(self.targets)

    def scores(self) -> dict[str, float]:
        """The scores of all images."""
        return self.measure(self.output, self.target)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Outputs and targets."""
        return {"logits": self.output.numpy(), "targets": self.target.numpy()}

    def __len__(self) -> int:
        return sum(map(len, self.targets))

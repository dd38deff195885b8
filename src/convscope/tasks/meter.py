"""A whole set's answers, batch by batch."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Arrays = Mapping[str, NDArray[Any]]


class Meter(Protocol):
    """Takes a network's outputs batch by batch and knows the scores of all that it took."""

    def add(self, output: Tensor, target: Tensor) -> None:
        """Take a batch."""

    def scores(self) -> dict[str, float]:
        """Everything that is measured, by name; "loss" is among it."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is worth keeping on disk, from which the task makes the meter again."""

    def __len__(self) -> int:
        """Images taken."""


class GatheringMeter:
    """A meter that keeps all outputs (N, ...) and targets (N, ...): for tasks of a few numbers per image.

    Args:
        measure: from all outputs and targets to scores.
        arrays: what an earlier one kept.
    """

    def __init__(self, measure: Callable[[Tensor, Tensor], dict[str, float]], arrays: Arrays | None = None) -> None:
        self.measure = measure
        self.outputs = [torch.from_numpy(np.asarray(arrays["logits"]))] if arrays else []
        self.targets = [torch.from_numpy(np.asarray(arrays["targets"]))] if arrays else []

    def add(self, output: Tensor, target: Tensor) -> None:
        """Take a batch, to the CPU."""
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
        """The scores of all."""
        return self.measure(self.output, self.target)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Outputs and targets."""
        return {"logits": self.output.numpy(), "targets": self.target.numpy()}

    def __len__(self) -> int:
        return sum(map(len, self.targets))

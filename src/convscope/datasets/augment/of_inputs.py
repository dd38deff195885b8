"""Augmentation of kinds of input whose targets do not move with the values."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor


class InputAugment(ABC):
    """Augments batches by a policy; the same generator state gives the same result on every device."""

    chosen: Any
    """The policy; the default of its type changes nothing."""

    @abstractmethod
    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return the augmented values of a batch, in the shape of `x`."""

    def augment_pair(
        self,
        x: Tensor,
        y: Tensor,
        target_kind: str,  # noqa: ARG002
        generator: torch.Generator,
        mirror: Tensor | bool | None = None,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor]:
        """Augment a batch, unless the policy changes nothing; targets are returned unchanged."""
        return (x if self.chosen == type(self.chosen)() else self.augment(x, generator)), y

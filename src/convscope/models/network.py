"""What every network is: a stem, stages and a head."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.input_check import input_error
from convscope.models.input_spec import InputSpec


class Outputs(NamedTuple):
    """What a network with auxiliary classifiers returns in training: all are (B, K) logits."""

    logits: Tensor
    auxiliary: tuple[Tensor, ...]


class Network(nn.Module):
    """`stem`, then `stages`, then `head`: logits are ``head(features(x)[-1])``.

    `auxiliary` holds classifiers that hang on stages by their number; they work in training only.

    Args:
        input_spec: the input; with a size, the only one that the network takes, else any that is large enough.
        stem: the first layers, at the finest resolution that the network keeps.
        stages: each takes what the one before it returns.
        head: makes (B, K) logits of the last stage's maps.
    """

    def __init__(
        self, name: str, input_spec: InputSpec, stem: nn.Module, stages: Iterable[nn.Module], head: nn.Module
    ) -> None:
        super().__init__()
        self.name, self.input_spec = name, input_spec
        self.stem, self.stages, self.head = stem, nn.Sequential(*stages), head
        self.auxiliary = nn.ModuleDict()

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the map of each stage, finest first: (B, C, H, W) each."""
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def encoder(self, x: Tensor) -> Tensor:
        """Return the last stage's maps, what `head` turns into logits."""
        return self.features(x)[-1]

    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Return the deepest map of each resolution, the stem's too, finest first."""
        maps = [self.stem(x)]
        for stage in self.stages:
            deeper = stage(maps[-1])
            if deeper.shape[2:] == maps[-1].shape[2:]:
                maps.pop()
            maps.append(deeper)
        return maps

    def compute(self, x: Tensor) -> Tensor | Outputs:
        """Return what `forward` returns, without its help when the input does not fit."""
        maps = self.features(x)
        logits: Tensor = self.head(maps[-1])
        if self.training and len(self.auxiliary):
            return Outputs(logits, tuple(head(maps[int(stage)]) for stage, head in self.auxiliary.items()))
        return logits

    def forward(self, x: Tensor) -> Tensor | Outputs:
        """Return (B, K) logits; in training, with auxiliary classifiers, `Outputs`.

        Raises:
            ModelError: the input has a size or a number of channels that the network cannot take.
        """
        if torch.compiler.is_compiling():
            return self.compute(x)
        try:
            return self.compute(x)
        except (RuntimeError, ValueError) as error:
            reason = input_error(self, tuple(x.shape[1:]))
            if reason is None:
                raise
            raise ModelError(reason) from error

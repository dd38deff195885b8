"""The base class of all networks: a stem, stages and a head."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.input_check import input_error
from convscope.models.input_spec import InputSpec


class Outputs(NamedTuple):
    """Output of a network with auxiliary classifiers in training; all tensors are (B, K) logits."""

    logits: Tensor
    auxiliary: tuple[Tensor, ...]


class Network(nn.Module):
    """A network of `stem`, `stages` and `head`; the logits are ``head(encoder(x))``.

    The contract of all networks: `encoder(x)` is what `head` takes, here the last stage's output, and an `Encoded` with
    the maps of all resolutions in networks with a decoder.

    `auxiliary` maps stage numbers to auxiliary classifiers, which are used in training only.

    Args:
        input_spec: the expected input; if it has a size, only that size is accepted, else any size large enough.
        stem: the first layers, at the finest resolution of the feature maps.
        stages: applied in sequence after the stem.
        head: computes (B, K) logits from the last stage's maps.
    """

    def __init__(
        self, name: str, input_spec: InputSpec, stem: nn.Module, stages: Iterable[nn.Module], head: nn.Module
    ) -> None:
        super().__init__()
        self.name, self.input_spec = name, input_spec
        self.stem, self.stages, self.head = stem, nn.Sequential(*stages), head
        self.auxiliary = nn.ModuleDict()

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the (B, C, H, W) output of each stage, finest first."""
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def encoder(self, x: Tensor) -> Tensor:
        """Return the last stage's output, the input of `head`."""
        return self.features(x)[-1]

    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Return the deepest map of each resolution, including the stem's, finest first."""
        maps = [self.stem(x)]
        for stage in self.stages:
            deeper = stage(maps[-1])
            if deeper.shape[2:] == maps[-1].shape[2:]:
                maps.pop()
            maps.append(deeper)
        return maps

    def compute(self, x: Tensor) -> Tensor | Outputs:
        """Return what `forward` returns, without its error messages for an unsuitable input."""
        maps = self.features(x)
        logits: Tensor = self.head(maps[-1])
        if self.training and len(self.auxiliary):
            return Outputs(logits, tuple(head(maps[int(stage)]) for stage, head in self.auxiliary.items()))
        return logits

    def forward(self, x: Tensor) -> Tensor | Outputs:
        """Return (B, K) logits, or `Outputs` in training with auxiliary classifiers.

        Raises:
            ModelError: the network does not accept the input's size or number of channels.
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

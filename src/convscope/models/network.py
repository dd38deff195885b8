"""What every network is: a stem, stages and a head."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.layers import shape_text
from convscope.models.sizes import why_not

Size = int | Sequence[int] | None


@dataclass(frozen=True)
class Input:
    """The images that a network is built for: channels, `rank` sides (1 sound, 2 images, 3 volumes), their size.

    `size` is None where it does not matter.
    """

    channels: int = 3
    rank: int = 2
    size: tuple[int, ...] | None = None

    @classmethod
    def read(cls, name: str, channels: int, rank: int, size: Size) -> "Input":
        """Return the input that a builder was asked for; a size of one number stands for all sides.

        Raises:
            ModelError: a rank other than 1, 2 and 3, fewer channels than one, a size that does not fit the rank.

        >>> Input.read("lenet", 1, 2, 28)
        Input(channels=1, rank=2, size=(28, 28))
        """
        if rank not in (1, 2, 3):
            raise ModelError(f"{name}: rank is {rank}; choose 1 (sound, series), 2 (images) or 3 (volumes)")
        if channels < 1:
            raise ModelError(f"{name}: channels is {channels}; give 1 for grey, 3 for colour images")
        if size is None:
            return cls(channels, rank)
        sides = (size,) * rank if isinstance(size, int) else tuple(int(side) for side in size)
        if len(sides) != rank or min(sides) < 1:
            raise ModelError(
                f"{name}: size {shape_text(sides)} does not fit rank {rank}; give {rank} sides of at least 1"
            )
        return cls(channels, rank, sides)


class Outputs(NamedTuple):
    """What a network with auxiliary classifiers returns in training: all are (B, K) logits."""

    logits: Tensor
    auxiliary: tuple[Tensor, ...]


class Network(nn.Module):
    """`stem`, then `stages`, then `head`: logits are ``head(features(x)[-1])``.

    `auxiliary` holds classifiers that hang on stages by their number; they work in training only.

    Args:
        takes: the input; with a size, the only one that the network takes, else any that is large enough.
        stem: the first layers, at the finest resolution that the network keeps.
        stages: each takes what the one before it returns.
        head: makes (B, K) logits of the last stage's maps.
    """

    def __init__(self, name: str, takes: Input, stem: nn.Module, stages: Iterable[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.name, self.takes = name, takes
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
            reason = why_not(self, tuple(x.shape[1:]))
            if reason is None:
                raise
            raise ModelError(reason) from error

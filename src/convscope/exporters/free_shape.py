"""Which sides of a network's input are free when PyTorch traces it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convscope.bundle import BundleConfig
from convscope.exporters.source import input_size

EXAMPLES = 3  # images of the example batch: PyTorch takes a batch of 1 for a constant


@dataclass(frozen=True)
class FreeShape:
    """An example input, and the free dimensions by axis.

    `multiple` is what the sides of the input must be divisible by; 0 if they are fixed.
    """

    size: tuple[int, int]
    channels: int
    multiple: int
    dims: dict[int, Any]

    def example(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """(EXAMPLES, C, H, W) zeros."""
        return torch.zeros(EXAMPLES, self.channels, *self.size, dtype=dtype)


def free_shape(network: nn.Module, config: BundleConfig) -> FreeShape:
    """The batch is free, the sides too if the task takes images of any size.

    Args:
        network: from `network_of`.
        config: the model's configuration.
    """
    multiple = int(getattr(network, "multiple", 1)) if config.build_task().any_size else 0
    height, width = input_size(network, config)
    dims: dict[int, Any] = {0: torch.export.Dim("batch", min=1)}
    if multiple:
        height, width = (max(2, -(-side // multiple)) * multiple for side in (height, width + multiple))
        dims |= {axis: _sides(side, multiple) for axis, side in ((2, "rows"), (3, "columns"))}
    return FreeShape((height, width), config.preprocessing.channels, multiple, dims)


def _sides(name: str, multiple: int) -> Any:
    steps = torch.export.Dim(name, min=1)
    return multiple * steps if multiple > 1 else steps

"""Two heads on one encoder: the class, and the box of an object."""

import torch
from torch import Tensor, nn


class TwoHeads(nn.Module):
    """Class logits and the four numbers of the box, concatenated to (B, K + 4), from an encoder's last feature maps.

    The box head keeps the spatial layout of the maps, which global pooling would discard.
    """

    def __init__(self, classifier: nn.Module, maps: tuple[int, ...], width: int = 64) -> None:
        super().__init__()
        channels, positions, hidden = maps[0], maps[1] * maps[2], 32
        self.kind = classifier
        last = nn.Linear(2 * width, 4)
        self.box = nn.Sequential(
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(hidden * positions, 2 * width),
            nn.ReLU(),
            last,
        )
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, 0.5)  # the initial box is centred and half as large as the image

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.kind(x), self.box(x)], 1)

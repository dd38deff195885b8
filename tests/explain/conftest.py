"""Small networks and a synthetic dataset in which a square determines the class."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn


def convnet(channels: int = 1, classes: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes),
    )  # fmt: skip


@dataclass(frozen=True)
class SquareDataset:
    """x (N, 1, 24, 24) normalised by mean 0.3, std 0.2; class 0 without a square, 1 a bright, 2 a striped square."""

    x: Tensor
    targets: Tensor
    masks: Tensor


def square_dataset(count: int, seed: int) -> SquareDataset:
    generator = torch.Generator().manual_seed(seed)
    pixels = 0.3 + 0.08 * torch.randn(count, 1, 24, 24, generator=generator)
    targets = torch.randint(3, (count,), generator=generator)
    masks = torch.zeros(count, 24, 24, dtype=torch.bool)
    corners = torch.randint(0, 17, (count, 2), generator=generator)
    for index, ((top, left), target) in enumerate(zip(corners.tolist(), targets.tolist(), strict=True)):
        masks[index, top : top + 7, left : left + 7] = True
        if target == 1:
            pixels[index, 0, top : top + 7, left : left + 7] = 0.9
        if target == 2:
            pixels[index, 0, top : top + 7 : 2, left : left + 7] = 0.9
    return SquareDataset((pixels.clamp(0, 1) - 0.3) / 0.2, targets, masks)


@pytest.fixture(scope="session")
def trained() -> nn.Sequential:
    """A network of seven thousand parameters that classifies the three classes with over 95 % accuracy."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, data = convnet(), square_dataset(480, 1)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(10):
        for part in torch.randperm(480).split(32):
            loss = nn.functional.cross_entropy(model(data.x[part]), data.targets[part])
            adam.zero_grad()
            loss.backward()
            adam.step()
    unseen = square_dataset(120, 2)
    accuracy = (model(unseen.x).argmax(1) == unseen.targets).float().mean().item()
    assert accuracy > 0.95
    adam.zero_grad()
    return model.eval()


@pytest.fixture(scope="session")
def unseen() -> SquareDataset:
    """Images that `trained` was not trained on."""
    return square_dataset(120, 2)


@pytest.fixture
def network():
    """A function that builds an untrained network for a number of channels."""
    return convnet

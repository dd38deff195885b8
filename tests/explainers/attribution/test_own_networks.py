"""Networks as their owners write them: functional and reused activations, in place, frozen, with several outputs."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convscope import explainers
from convscope.errors import ModelError

Activation = Callable[[Tensor], Tensor]
TARGETS = torch.tensor([1, 1])


class Own(nn.Module):
    """Two convolutions, an activation after each, the mean over the positions, and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(3, 4, 3, padding=1)
        self.c2 = nn.Conv2d(4, 5, 3, padding=1)
        self.fc = nn.Linear(5, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.relu(self.c2(self.relu(self.c1(x)))).mean((2, 3)))


class Functional(Own):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.c2(F.relu(self.c1(x), inplace=True)), inplace=True).mean((2, 3)))


class Methods(Own):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.c2(self.c1(x).relu()).relu_().mean((2, 3)))


class Smooth(Own):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.SiLU()


class Several(Own):
    def forward(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        logits = super().forward(x)
        return logits, {"auxiliary": 2 * logits}


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def logit(network: Own, features: Tensor, activation: Activation) -> Tensor:
    """The sum of the logits of class 1 from the output of the second convolution."""
    return network.fc(activation(features).mean((2, 3)))[:, 1].sum()


def scaled(values: np.ndarray) -> np.ndarray:
    return values / max(np.abs(values).max(), 1e-12)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(
    ("kind", "activation"), [(Own, F.relu), (Functional, F.relu), (Methods, F.relu), (Smooth, F.silu)]
)
def test_maps_equal_those_by_hand_and_the_network_is_left_as_it_was(
    images: Tensor, kind: type[Own], activation: Activation, frozen: bool
) -> None:
    torch.manual_seed(0)
    network = kind().train()
    network.requires_grad_(not frozen)
    x = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(logit(network, network.c2(activation(network.c1(x))), activation), x)
    features = network.c2(activation(network.c1(images))).detach().requires_grad_()
    (weights,) = torch.autograd.grad(logit(network, features, activation), features)
    cam = (weights.mean((2, 3), keepdim=True) * features).sum(1).clamp(min=0).detach().numpy()

    found = explainers.input_gradients(network, images, TARGETS)
    assert np.abs(scaled(np.asarray(found.values)) - scaled(slope.numpy())).max() < 1e-6
    maps = np.asarray(explainers.grad_cam(network, images, "c2", TARGETS).maps)
    assert np.abs(scaled(maps) - scaled(cam)).max() < 1e-5
    integrated = np.asarray(explainers.integrated_gradients(network, images, TARGETS).values)
    with torch.no_grad():
        difference = (network(images) - network(torch.zeros_like(images)))[:, 1].numpy()
    assert np.abs(integrated.sum((1, 2, 3)) - difference).max() < 1e-3
    assert network.training
    assert all(parameter.grad is None and parameter.requires_grad is not frozen for parameter in network.parameters())


def test_several_outputs_are_refused(images: Tensor) -> None:
    with pytest.raises(ModelError) as raised:
        explainers.input_gradients(Several(), images, TARGETS)
    assert str(raised.value) == "output: a tuple, not (B, K) logits; wrap the network so that it returns logits"

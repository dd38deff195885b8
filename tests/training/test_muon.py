"""Muon: orthogonalised updates of convolutions, by hand and against the SVD."""

import math

import pytest
import torch
from torch import nn

from convscope.training import OptimiserSettings, State, build_optimiser, set_learning_rate
from convscope.training.muon import COEFFICIENTS, orthogonal
from helpers.toy_network import same_bits

MUON = OptimiserSettings(name="muon", learning_rate=0.1, momentum=0.5, other_rate=0.01, weight_decay=0.25)


def network() -> nn.Sequential:
    """A convolution followed by a norm, one with a bias, a frozen one, and a dense layer."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 4, 1, bias=False),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2),
    )  # fmt: skip
    layers[3].requires_grad_(False)
    return layers


@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (64, 4, 1, 1), (6, 6, 3, 3)])
def test_singular_values_of_any_shape_are_close_to_one(shape: tuple[int, ...]) -> None:
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    (found,) = orthogonal(gradient[None], iterations=5)
    assert found.shape == gradient.shape
    values = torch.linalg.svdvals(found.flatten(1))
    assert 0.6 < values.min() < values.max() < 1.3
    before, _, after = torch.linalg.svd(gradient.flatten(1), full_matrices=False)
    aligned = (before.T @ found.flatten(1) @ after.T).diagonal()
    assert (aligned - values.flip(0).sort(descending=True).values).abs().max() < 0.6  # the same directions


def test_one_iteration_is_the_quintic_worked_by_hand() -> None:
    """A matrix of the singular values 0.8 and 0.6 has norm 1, so they are not rescaled."""
    a, b, c = COEFFICIENTS
    found = orthogonal(torch.diag(torch.tensor([0.8, 0.6]))[None, ..., None, None], iterations=1)
    expected = [a * s + b * s**3 + c * s**5 for s in (0.8, 0.6)]
    assert found.flatten().tolist() == pytest.approx([expected[0], 0, 0, expected[1]], abs=1e-5)


@pytest.mark.parametrize("shape", [(3, 12, 4, 3, 3), (2, 20, 5, 1, 1)])
def test_many_iterations_equal_the_published_iteration(shape: tuple[int, ...]) -> None:
    """The published iteration, one matrix at a time in float64; the second shape is tall."""
    a, b, c = COEFFICIENTS
    gradients = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    for gradient, found in zip(gradients, orthogonal(gradients, iterations=3), strict=True):
        x = gradient.flatten(1).double()
        x /= x.norm()
        for _ in range(3):
            square = x @ x.T
            x = a * x + (b * square + c * square @ square) @ x
        assert (found.flatten(1) - x).abs().max() < 1e-5


def test_bfloat16_updates_are_close(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = torch.randn(1, 256, 32, 3, 3, generator=torch.Generator().manual_seed(0))
    found = []
    for halved in (False, True):
        monkeypatch.setattr("convscope.training.muon.computes_bfloat16", lambda _, halved=halved: halved)
        found.append(orthogonal(gradients).flatten())
    assert found[1].dtype == torch.float32
    assert torch.cosine_similarity(*found, dim=0) > 0.999


def test_parameters_are_grouped_by_type_without_frozen_ones() -> None:
    model = network()
    groups = build_optimiser(model, MUON).param_groups
    assert [group["muon"] for group in groups] == [True, False, False]
    assert groups[0]["params"] == [model[0].weight]
    assert [p.ndim for p in groups[1]["params"]] == [1, 1, 1, 1]
    assert groups[2]["params"] == [model[2].weight, model[6].weight]
    assert [group["lr"] for group in groups] == pytest.approx([0.1, 0.1, 0.01])  # norms and biases at ten times 0.01
    assert [group["weight_decay"] for group in groups] == [0, 0, 0.25]
    assert set_learning_rate(build_optimiser(model, MUON), 0.5) == pytest.approx(0.05)


def test_grouped_convolutions_are_excluded() -> None:
    model = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.BatchNorm2d(8))
    assert not any(group["muon"] for group in build_optimiser(model, MUON).param_groups)


def with_gradients(model: nn.Module, seed: int) -> None:
    """Random ones, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_adamw_updates_equal_those_of_torch() -> None:
    ours, theirs = network(), network()
    optimiser = build_optimiser(ours, MUON)
    norms = [p for p in theirs.parameters() if p.ndim == 1 and p.requires_grad]
    dense = [theirs[2].weight, theirs[6].weight]
    oracle = torch.optim.AdamW([{"params": norms, "weight_decay": 0.0, "lr": 0.1}, {"params": dense}], lr=0.01,
                               weight_decay=0.25)  # fmt: skip
    for step in range(3):
        with_gradients(ours, step)
        with_gradients(theirs, step)
        optimiser.step()
        oracle.step()
    for name in ("1.bias", "2.weight", "6.weight", "6.bias"):
        assert torch.allclose(ours.get_parameter(name), theirs.get_parameter(name), atol=1e-7), name


def test_stacked_weights_are_updated_like_single_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for stacked in (0, 128):
        monkeypatch.setattr("convscope.training.muon.MAX_STACKED_OUTPUTS", stacked)
        torch.manual_seed(0)
        model = nn.Sequential(*[nn.Conv2d(6, 6, 3, bias=False) for _ in range(3)])
        optimiser = build_optimiser(model, MUON)
        with_gradients(model, 0)
        optimiser.step()
        found.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.allclose(*found, atol=1e-6)


def test_a_convolution_keeps_its_norm() -> None:
    model = network()
    optimiser, weight = build_optimiser(model, MUON), model[0].weight
    before = weight.detach().clone()
    for step in range(2):
        with_gradients(model, step)
        optimiser.step()
    assert weight.norm().item() == pytest.approx(math.sqrt(8), rel=0.2)
    assert not torch.equal(weight, before)


def test_a_resumed_muon_makes_the_same_step() -> None:
    states = []
    for resumed in (False, True):
        model = network()
        state = State(model, build_optimiser(model, MUON))
        for step in range(3):
            if resumed and step == 2:
                content = state.state_dict()
                fresh = network()
                state = State(fresh, build_optimiser(fresh, MUON))
                state.load_state_dict(content)
            torch.manual_seed(step)
            for parameter in state.model.parameters():
                parameter.grad = torch.randn_like(parameter)
            state.optimiser.step()
        states.append(state.model.state_dict())
    assert same_bits(*states)

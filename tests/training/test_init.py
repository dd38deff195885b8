"""Initialisation: the variance of weights and its effect over depth."""

import math

import pytest
import torch
from torch import nn

from convscope.errors import ConfigError
from convscope.training import (
    INITIALISERS,
    OptimiserSettings,
    State,
    build_optimiser,
    fitting_initialisers,
    initialise,
    observe,
    run,
)
from convscope.training.init import fans
from helpers.toy_network import batches, cross_entropy, images

FORMULAS = {
    "zeros": lambda _n_in, _n_out: 0.0,
    "small_normal": lambda _n_in, _n_out: 0.0001,
    "normal": lambda _n_in, _n_out: 1.0,
    "xavier_in": lambda n_in, _n_out: 1 / n_in,
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),
    "kaiming": lambda n_in, _n_out: 2 / n_in,
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(
    ("layer", "n_in", "n_out"),
    [
        (nn.Linear(300, 200), 300, 200),
        (nn.Conv2d(32, 64, 3), 32 * 9, 64 * 9),
        (nn.Conv2d(64, 128, 3, groups=2), 32 * 9, 64 * 9),
        (nn.Conv1d(64, 80, 5), 64 * 5, 80 * 5),
        (nn.ConvTranspose2d(64, 32, 3), 64 * 9, 32 * 9),
    ],
    ids=["dense", "conv", "groups", "1-D", "transposed"],
)
def test_the_variance_is_that_of_the_formula_within_5_percent(name, layer, n_in, n_out):
    """Includes both Xavier forms."""
    assert fans(layer) == (n_in, n_out)
    initialise(layer, name, torch.Generator().manual_seed(5))
    assert layer.weight.var().item() == pytest.approx(FORMULAS[name](n_in, n_out), rel=0.05)
    assert layer.weight.mean().item() == pytest.approx(0, abs=3 * math.sqrt(FORMULAS[name](n_in, n_out) / 1e4))
    assert not layer.bias.any()


def test_every_initialiser_is_tested():
    assert INITIALISERS.keys() == {*FORMULAS, "orthogonal", "identity"}


def test_an_orthogonal_layer_preserves_norms():
    layer = nn.Linear(30, 50)
    initialise(layer, "orthogonal")
    x = torch.randn(20, 30)
    assert torch.allclose(layer(x).norm(dim=1), x.norm(dim=1), atol=1e-4)
    assert layer.weight.var().item() == pytest.approx(1 / 50, rel=0.05)


@pytest.mark.parametrize(
    ("layer", "x"),
    [(nn.Linear(5, 5), torch.randn(2, 5)), (nn.Conv2d(3, 3, 3, padding=1), torch.randn(2, 3, 6, 6))],
)
def test_identity_returns_its_input(layer, x):
    initialise(layer, "identity")
    assert torch.equal(layer(x), x)


def test_auto_suits_the_activation_that_follows():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 8, 3), nn.Tanh(),
        nn.Sequential(nn.Conv2d(8, 8, 1), nn.Sequential(nn.LeakyReLU())),
        nn.Flatten(), nn.Linear(8, 4), nn.Sigmoid(), nn.Linear(4, 2),
    )  # fmt: skip
    expected = {"0": "kaiming", "3": "glorot", "5.0": "kaiming", "7": "glorot", "9": "xavier_in"}
    assert fitting_initialisers(model) == expected
    assert initialise(model) == expected


def test_an_unknown_name_is_rejected_with_the_closest_one():
    with pytest.raises(ConfigError) as caught:
        initialise(nn.Linear(2, 2), "kaimin")
    assert str(caught.value) == "init: no initialiser kaimin; did you mean kaiming?"


def test_with_zeros_the_units_of_a_layer_stay_identical_and_nothing_is_learned():
    """With balanced classes the accuracy stays at chance level."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 2))
    initialise(model, "zeros")
    state = State(model, build_optimiser(model, OptimiserSettings(learning_rate=0.5)))
    list(run(state, batches, cross_entropy, lambda _: 1.0, 20, lambda _: {}))
    assert (model[1].weight == model[1].weight[0]).all()
    assert model(images(200)[0]).argmax(1).unique().numel() == 1


def variances_by_depth(name: str) -> list[float]:
    torch.manual_seed(0)
    layers = [layer for _ in range(30) for layer in (nn.Linear(128, 128), nn.ReLU())]
    model = nn.Sequential(*layers)
    initialise(model, name)
    with observe(model) as observer, torch.no_grad():
        model(torch.randn(256, 128))
        return [report.variance for report in observer.report() if report.layer_type == "Linear"]


def test_normal_explodes_with_depth_and_small_normal_vanishes_while_kaiming_is_stable():
    """Each N(0, 1) layer of 128 units multiplies the variance by 64; 0.01^2 divides it by 156."""
    exploding, dying, flat = (variances_by_depth(name) for name in ("normal", "small_normal", "kaiming"))
    assert exploding[-1] / exploding[0] > 1e40 or math.isinf(exploding[-1])
    assert dying[-1] / dying[0] < 1e-20
    assert 0.1 < flat[-1] / flat[0] < 10

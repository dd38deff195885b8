"""Optimisers: steps worked by hand, and weight decay on weights only."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from convscope.training import OPTIMISERS, OptimiserSettings, build_optimiser, set_learning_rate
from convscope.training.optimisers import DEFAULT_RATES
from helpers.toy_network import network


def after_two_steps(**settings: object) -> float:
    """A single weight of 1 with the gradients 2 and then 1, at rate 0.1."""
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    optimiser = build_optimiser(layer, OptimiserSettings(learning_rate=0.1, **settings))
    for gradient in (2.0, 1.0):
        layer.weight.grad = torch.tensor([[gradient]])
        optimiser.step()
    return layer.weight.item()


def adam_by_hand(decay: float = 0.0) -> float:
    weight, mean, square = 1.0, 0.0, 0.0
    for step, gradient in enumerate((2.0, 1.0), 1):
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        weight -= 0.1 * decay * weight
        weight -= 0.1 * (mean / (1 - 0.9**step)) / (math.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weight


def rmsprop_by_hand() -> float:
    weight, square = 1.0, 0.0
    for gradient in (2.0, 1.0):
        square = 0.99 * square + 0.01 * gradient**2
        weight -= 0.1 * gradient / (math.sqrt(square) + 1e-8)
    return weight


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "sgd", "momentum": 0.0}, 1 - 0.2 - 0.1),
        ({"name": "sgd", "momentum": 0.9}, 1 - 0.2 - 0.1 * (0.9 * 2 + 1)),
        ({"name": "sgd", "momentum": 0.9, "nesterov": True}, 1 - 0.1 * (2 + 0.9 * 2) - 0.1 * (1 + 0.9 * 2.8)),
        ({"name": "sgd", "momentum": 0.0, "weight_decay": 0.5}, 0.75 - 0.1 * (1 + 0.5 * 0.75)),
        ({"name": "adam"}, adam_by_hand()),
        ({"name": "adamw", "weight_decay": 0.5}, adam_by_hand(decay=0.5)),
        ({"name": "rmsprop", "momentum": 0.0}, rmsprop_by_hand()),
    ],
)
def test_two_steps_worked_by_hand(settings, expected):
    assert after_two_steps(**settings) == pytest.approx(expected, abs=1e-6)


WHOLE = sorted(set(OPTIMISERS) - {"muon"})  # the rates and decays of muon's groups are in test_muon.py


@pytest.mark.parametrize("name", WHOLE)
def test_biases_and_norms_have_no_weight_decay_and_all_parameters_are_included(name):
    model = network()
    optimiser = build_optimiser(model, OptimiserSettings(name=name, weight_decay=0.1))
    decays = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert decays == {id(p): 0.1 if p.ndim > 1 else 0.0 for p in model.parameters()}


def test_frozen_parameters_are_in_no_group():
    model = network()
    model[0].requires_grad_(False)
    groups = build_optimiser(model).param_groups
    assert len([p for group in groups for p in group["params"]]) == len(list(model.parameters())) - 2


def test_a_network_of_biases_alone_has_one_group():
    assert len(build_optimiser(nn.BatchNorm1d(3)).param_groups) == 1


@pytest.mark.parametrize("name", WHOLE)
def test_the_default_rate_is_used_if_none_is_set(name):
    assert build_optimiser(network(), OptimiserSettings(name=name)).param_groups[0]["lr"] == DEFAULT_RATES[name]
    set_rate = OptimiserSettings(name=name, learning_rate=0.3)
    assert build_optimiser(network(), set_rate).param_groups[0]["lr"] == 0.3


def test_a_factor_multiplies_each_groups_base_rate_and_the_highest_is_returned():
    parameters = list(network().parameters())
    groups = [{"params": parameters[:2], "lr": 0.5}, {"params": parameters[2:], "lr": 0.1}]
    optimiser = torch.optim.SGD(groups, lr=1.0)
    for factor in (1.0, 0.5, 0.2):
        assert set_learning_rate(optimiser, factor) == pytest.approx(0.5 * factor)
        assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.5 * factor, 0.1 * factor])


def test_invalid_settings_are_rejected():
    with pytest.raises(ValidationError, match="nesterov needs a momentum above 0; set momentum, for"):
        OptimiserSettings(nesterov=True, momentum=0.0)
    with pytest.raises(ValidationError, match=r"betas are \(0.9, 1.0\); give values of at least 0 and below 1"):
        OptimiserSettings(name="adam", betas=(0.9, 1.0))

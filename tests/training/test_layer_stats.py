"""Layer statistics of the observer, and removal of its hooks."""

import pytest
import torch
from torch import nn

from convscope.training import Epoch, initialise, observe, run
from convscope.training.layer_stats import gradient_norms
from helpers.toy_network import batches, cross_entropy, network, new_state


def by_name(reports):
    return {report.name: report for report in reports}


def dead_share(activation: nn.Module, bias: float) -> float:
    """Train a network with this initial bias of the hidden layer for an epoch; return its fraction of dead units."""
    state = new_state(average=False)
    state.model[2] = activation
    nn.init.constant_(state.model[1].bias, bias)
    with observe(state.model) as observer:
        for record in run(state, batches, cross_entropy, lambda _: 0.1, 1, lambda _: {}):
            if isinstance(record, Epoch):
                return by_name(observer.report())["2"].dead
    raise AssertionError("no epoch")


def test_a_planted_bias_of_minus_10_is_detected_as_dead_within_an_epoch():
    assert dead_share(nn.ReLU(), bias=-10.0) == 1.0


def test_a_healthy_relu_and_a_leaky_one_are_not_dead():
    """Leaky ReLU below 1 %, also with the planted bias."""
    assert dead_share(nn.ReLU(), bias=0.0) < 0.01
    assert dead_share(nn.LeakyReLU(), bias=-10.0) < 0.01


def test_the_fraction_counts_units_that_were_never_active_worked_by_hand():
    """Four units that are the input plus -2, -1, 0 and 1, on inputs up to 1: the first is dead, and the second too."""
    model = nn.Sequential(nn.Linear(1, 4), nn.ReLU())
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.copy_(torch.tensor([-2.0, -1.0, 0.0, 1.0]))
    with observe(model) as observer:
        model(torch.tensor([[-1.0], [0.0]]))
        model(torch.tensor([[1.0]]))
        first = by_name(observer.report())
        model(torch.tensor([[2.0]]))
        second = by_name(observer.report())
    assert first["1"].dead == 0.5
    assert second["1"].dead == 0.25
    assert first["0"].dead is None


def test_a_channel_is_active_if_any_position_is():
    model = nn.Sequential(nn.ReLU())
    x = torch.full((2, 3, 4, 4), -1.0)
    x[1, 2, 3, 3] = 1.0
    with observe(model) as observer:
        model(x)
        assert observer.report()[0].dead == pytest.approx(2 / 3)


def test_the_variance_is_the_mean_over_the_passes():
    model = nn.Sequential(nn.ReLU())
    with observe(model) as observer:
        model(torch.tensor([[0.0, 2.0]]))  # variance 1
        model(torch.tensor([[0.0, 6.0]]))  # variance 9
        assert observer.report()[0].variance == 5
        assert observer.report()[0].variance is None


def test_gradient_norms_worked_by_hand():
    """The output is the sum of 3 x and 4 x at x = 1, so that both weights have slope 1 and the norm is sqrt(2)."""
    model = nn.Sequential(nn.Linear(1, 2))
    assert gradient_norms(model) == {}
    model(torch.ones(1, 1)).sum().backward()
    assert gradient_norms(model) == {"0": pytest.approx(2**0.5)}


def first_over_last(activation: type[nn.Module], residual: bool = False) -> float:
    class Layer(nn.Sequential):
        def forward(self, x):
            return x + super().forward(x) if residual else super().forward(x)

    torch.manual_seed(0)
    layers = [Layer(nn.Linear(36, 36), activation()) for _ in range(20)]
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(36, 2))
    initialise(model)
    x, y = next(iter(batches(0)))
    cross_entropy(model(x), y).backward()
    norms = [*gradient_norms(model).values()]
    return norms[0] / norms[-1]


def test_gradients_vanish_in_20_layers_of_sigmoids_and_not_in_relus_or_residuals():
    assert first_over_last(nn.Sigmoid) < 1e-6
    assert first_over_last(nn.ReLU) > 0.001
    assert first_over_last(nn.Sigmoid, residual=True) > 0.001


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_hooks_are_removed_afterwards_also_after_an_error():
    model = network()
    with observe(model):
        assert hooks(model) == 3
    assert hooks(model) == 0
    with pytest.raises(ZeroDivisionError), observe(model):
        raise ZeroDivisionError
    assert hooks(model) == 0


def test_observed_training_is_bit_identical():
    plain, observed = new_state(), new_state()
    list(run(plain, batches, cross_entropy, lambda _: 1.0, 2, lambda _: {}))
    observed_model = observed.model
    torch.manual_seed(3)
    new_state()  # resets the random number generators as for `plain`
    with observe(observed_model) as observer:
        for _ in run(observed, batches, cross_entropy, lambda _: 1.0, 2, lambda _: {}):
            observer.report()
    for first, second in zip(plain.model.parameters(), observed_model.parameters(), strict=True):
        assert torch.equal(first, second)

"""One optimiser step: gradients, clipping, micro-batches and momentum."""

import pytest
import torch
from torch import nn

from convscope.training import (
    Epoch,
    OptimiserSettings,
    State,
    Step,
    StepSettings,
    build_optimiser,
    run,
)
from helpers.toy_network import (
    BATCH,
    IMAGES,
    cross_entropy,
    images,
    network,
)
from helpers.training_runs import flat, line, plain_state, squared, trained


def test_one_step_is_slope_times_rate_worked_by_hand():
    """(3w - 1)^2 at w = 2 is 25, its slope 2 * 5 * 3 = 30; with rate 0.1 the step is 3 and w becomes -1."""
    state = plain_state(line(2.0))
    records = list(
        run(state, lambda _: [(torch.tensor([[3.0]]), torch.tensor([[1.0]]))], squared, flat, 1, lambda _: {})
    )
    assert records[0] == Step(epoch=1, step=1, learning_rate=0.1, images=1, loss=25.0, gradient_norm=30.0)
    assert state.model.weight.item() == pytest.approx(-1.0)


def test_gradients_of_batches_average_to_the_gradient_of_all():
    """Over equal batches, at the same weights."""
    x, y = images(IMAGES)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))

    def gradient(x, y):
        return torch.autograd.grad(cross_entropy(model(x), y), list(model.parameters()))

    parts = [gradient(*part) for part in zip(x.split(BATCH), y.split(BATCH), strict=True)]
    for whole, *pieces in zip(gradient(x, y), *parts, strict=True):
        assert torch.allclose(whole, torch.stack(pieces).mean(0), atol=1e-6)


def test_rate_01_trains_faster_than_0001_on_the_same_batches():
    """Two common learning rates."""
    losses = {}
    for rate in (0.1, 0.001):
        torch.manual_seed(0)
        state = plain_state(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), rate)
        losses[rate] = [record.train["loss"] for record in trained(state, epochs=5) if isinstance(record, Epoch)]
    assert losses[0.1][-1] < 0.6 * losses[0.1][0]
    assert losses[0.001][-1] > 0.9 * losses[0.001][0]


def test_momentum_needs_fewer_steps_on_an_ill_conditioned_problem():
    """On a quadratic with condition number 100, SGD reaches 1e-3 sooner with momentum, Nesterov or not."""

    class Bowl(nn.Module):
        def __init__(self):
            super().__init__()
            self.place = nn.Parameter(torch.tensor([1.0, 1.0]))

        def forward(self, curvature):
            return 0.5 * (curvature * self.place**2).sum()

    def steps_to_the_bottom(momentum: float, nesterov: bool = False) -> int:
        model = Bowl()
        settings = OptimiserSettings(name="sgd", learning_rate=0.01, momentum=momentum, nesterov=nesterov)
        state = State(model, build_optimiser(model, settings))
        bowl = (torch.tensor([[1.0, 100.0]]), torch.zeros(1))
        for record in run(state, lambda _: [bowl], lambda height, _: height, flat, 2000, lambda _: {}):
            if isinstance(record, Step) and record.loss < 1e-3:
                return record.step
        raise AssertionError("never arrived")

    plain, heavy, nesterov = steps_to_the_bottom(0.0), steps_to_the_bottom(0.9), steps_to_the_bottom(0.9, True)
    assert heavy < plain / 2
    assert nesterov < plain / 2


def test_a_gradient_above_the_clip_is_scaled_to_it():
    """Slope 30 becomes 2, so that the step is 0.2; the record has the norm before clipping."""
    state = plain_state(line(2.0), settings=StepSettings(clip=2.0))
    step = next(run(state, lambda _: [(torch.tensor([[3.0]]), torch.tensor([[1.0]]))], squared, flat, 1, lambda _: {}))
    assert step.gradient_norm == 30.0
    assert state.model.weight.item() == pytest.approx(1.8)


@pytest.mark.parametrize("micro_batch", [1, 3, 5, 8, 100])
def test_micro_batches_add_up_to_the_same_step(micro_batch):
    weights = []
    for settings in (StepSettings(), StepSettings(micro_batch=micro_batch)):
        torch.manual_seed(0)
        state = plain_state(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), settings=settings)
        trained(state)
        weights.append(state.model[1].weight)
    assert torch.allclose(weights[0], weights[1], atol=1e-6)


def test_frozen_parameters_do_not_change():
    state_model = network()
    state_model[0].requires_grad_(False)
    before = state_model[0].weight.clone()
    trained(plain_state(state_model))
    assert torch.equal(state_model[0].weight, before)

"""The learning-rate range test: its suggestion, and that it does not change the state."""

import itertools

import pytest
import torch
from torch import nn

from convscope.errors import TrainingError
from convscope.training import RangeSettings, State, learning_rate_range_test, random_states
from helpers.toy_network import batches, cross_entropy, new_state, same_bits


def bowl(curvature: float) -> tuple[State, object, object]:
    """Half the curvature times the square of one weight: gradient descent diverges above 2 / curvature."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    state = State(model, torch.optim.SGD(model.parameters(), lr=0.1))
    return (
        state,
        lambda _: [(torch.ones(1, 1), torch.zeros(1, 1))],
        lambda output, _: curvature / 2 * (output**2).mean(),
    )


@pytest.mark.parametrize("curvature", [0.1, 1.0, 100.0])
def test_on_a_quadratic_the_suggestion_is_below_the_rate_that_diverges(curvature):
    """It is within a factor of 100 of it, for any curvature."""
    sweep = RangeSettings(lowest=1e-6, highest=1e4, steps=200)
    found = learning_rate_range_test(*bowl(curvature), sweep)
    limit = 2 / curvature
    assert limit < found.diverged_at < 20 * limit
    assert limit / 100 < found.suggestion < limit


def test_it_does_not_change_network_optimiser_and_generators():
    state = new_state(name="adam")
    state.model.eval()
    before, generators = torch.clone(state.model[0].weight), random_states()
    content = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    learning_rate_range_test(state, batches, cross_entropy)
    assert same_bits(dict(state.model.state_dict()), content)
    assert same_bits(random_states(), generators)
    assert torch.equal(state.model[0].weight, before)
    assert state.optimiser.state_dict()["state"] == {}
    assert state.optimiser.param_groups[0]["lr"] == 0.001
    assert (state.step, state.epoch) == (0, 0)
    assert not any(module.training for module in state.model.modules())
    assert all(parameter.grad is None for parameter in state.model.parameters())


def test_the_rates_grow_exponentially_from_the_lowest_to_the_highest():
    settings = RangeSettings(lowest=1e-4, highest=1e-1, steps=31)
    found = learning_rate_range_test(new_state(), batches, cross_entropy, settings)
    ratios = [second / first for first, second in itertools.pairwise(found.rates)]
    assert found.rates[0] == pytest.approx(1e-4)
    assert found.rates[-1] == pytest.approx(1e-1)
    assert ratios == pytest.approx([10 ** (3 / 30)] * 30)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) == 31


def test_without_divergence_it_suggests_the_steepest_decrease():
    found = learning_rate_range_test(*bowl(1.0), RangeSettings(lowest=1e-3, highest=0.5, steps=50))
    assert found.diverged_at is None
    assert found.why == "the loss decreases fastest there"


def test_with_early_divergence_it_suggests_a_tenth():
    found = learning_rate_range_test(*bowl(1.0), RangeSettings(lowest=0.4, highest=1000.0, steps=30, smoothing=0.0))
    assert found.suggestion == pytest.approx(found.diverged_at / 10)
    assert found.why == f"it is a tenth of {found.diverged_at:.2g}, where training diverges"


def test_groups_keep_the_ratio_of_their_rates():
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    groups = [{"params": [model[1].weight], "lr": 0.1}, {"params": [model[1].bias], "lr": 0.0}]
    state = State(model, torch.optim.SGD(groups, lr=1.0))
    found = learning_rate_range_test(state, batches, cross_entropy)
    assert max(found.rates) <= 10.0 + 1e-9


def test_a_loss_that_never_decreases_is_an_error():
    state, given, _ = bowl(1.0)

    def rising(output, _y):
        return 2 - (output**2).mean()

    torch.nn.init.constant_(state.model.weight, 1.0)
    state.optimiser.param_groups[0]["maximize"] = True
    with pytest.raises(TrainingError) as caught:
        learning_rate_range_test(state, given, rising, RangeSettings(lowest=1e-3, highest=1e-1, steps=10))
    assert str(caught.value) == (
        "range test: the loss did not decrease at any learning rate from 0.001 to 0.1; start the sweep lower, "
        "or check labels and inputs"
    )


def test_without_batches_it_is_the_error_of_the_loop():
    with pytest.raises(TrainingError, match=r"^epoch 1: the training set is empty; "):
        learning_rate_range_test(new_state(), lambda _: [], cross_entropy)

"""The loop: its records, its updates, and what it does not change."""

import math

import pytest
import torch
from torch import nn

from convscope.errors import TrainingError
from convscope.training import (
    Epoch,
    ExponentialAverage,
    Note,
    OptimiserSettings,
    State,
    Step,
    StepSettings,
    build_optimiser,
    by_steps,
    run,
)
from convscope.training.schedules import constant, cosine
from helpers.toy_network import (
    BATCH,
    IMAGES,
    STEPS_PER_EPOCH,
    batches,
    cross_entropy,
    evaluate,
    images,
    network,
    new_state,
)


def flat(_step: int) -> float:
    return 1.0


def trained(state: State, epochs: int = 1, schedule=flat, given=batches, loss=cross_entropy) -> list:
    return list(run(state, given, loss, schedule, epochs, lambda _model: {}))


def plain_state(model: nn.Module, rate: float = 0.1, momentum: float = 0.0, settings=None) -> State:
    optimiser = build_optimiser(model, OptimiserSettings(name="sgd", learning_rate=rate, momentum=momentum))
    return State(model, optimiser, settings=settings or StepSettings())


def line(weight: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def squared(output, y):
    return ((output - y) ** 2).mean()


# what one step does


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


# what it yields


def test_it_yields_a_step_per_batch_and_an_epoch_per_pass():
    records = trained(new_state(), epochs=2)
    assert [type(record) for record in records] == ([Step] * STEPS_PER_EPOCH + [Epoch]) * 2
    assert [(record.epoch, record.step) for record in records] == [
        (1, 1), (1, 2), (1, 3), (1, 3), (2, 4), (2, 5), (2, 6), (2, 6)
    ]  # fmt: skip


def test_the_rate_is_the_base_rate_times_the_factor_at_the_steps_done_before():
    state = plain_state(network(), rate=0.5)
    records = trained(state, epochs=2, schedule=by_steps(cosine(), 6))
    rates = [record.learning_rate for record in records if isinstance(record, Step)]
    assert rates == pytest.approx([0.5 * 0.5 * (1 + math.cos(math.pi * step / 6)) for step in range(6)])


def test_the_epoch_has_the_mean_loss_per_image():
    x, y = torch.zeros(6, 1), torch.tensor([[1.0]] * 4 + [[4.0]] * 2)
    records = list(
        run(plain_state(line(0.0)), lambda _: [(x[:4], y[:4]), (x[4:], y[4:])], squared, flat, 1, lambda _: {})
    )
    assert [record.loss for record in records[:2]] == [1.0, 16.0]
    assert records[2].train == {"loss": pytest.approx((4 * 1 + 2 * 16) / 6)}


def test_the_epoch_has_the_scores_and_the_time():
    (*_, last) = run(new_state(), batches, cross_entropy, flat, 1, lambda _model: {"loss": 0.25})
    assert last.validation == {"loss": 0.25}
    assert 0 < last.seconds < 60


def test_infrequent_readings_skip_losses_and_change_nothing_else():
    every, third = (trained(new_state(StepSettings(read_every=k)), epochs=3) for k in (1, 4))
    losses = [record.loss for record in every if isinstance(record, Step)]
    late = [record.loss for record in third if isinstance(record, Step)]
    # the end of an epoch (after three steps) reads all losses, so that there are never four unread
    assert late == [None] * 9
    assert [r.train for r in every if isinstance(r, Epoch)] == [r.train for r in third if isinstance(r, Epoch)]
    second = [r.loss for r in trained(new_state(StepSettings(read_every=2)), epochs=3) if isinstance(r, Step)]
    assert second == [None, losses[1], None, None, losses[4], None, None, losses[7], None]


def test_the_ema_is_evaluated():
    state, seen = new_state(), []
    list(run(state, batches, cross_entropy, flat, 1, lambda model: seen.append(model) or {}))
    assert seen == [state.average.module]


def test_the_ema_update_worked_by_hand():
    """The decay is 2/11 at first and 3/12 then: 9/11 of the way from 0 to 1, and 3/4 of the way from there to 2."""
    model = line(0.0)
    average = ExponentialAverage(model, decay=0.999)
    nn.init.constant_(model.weight, 1.0)
    average.update(model)
    assert average.module.weight.item() == pytest.approx(9 / 11)
    nn.init.constant_(model.weight, 2.0)
    average.update(model)
    assert average.module.weight.item() == pytest.approx(9 / 11 + 0.75 * (2 - 9 / 11))


def test_the_ema_copies_counters():
    state = new_state()
    trained(state)
    assert state.average.module[1].num_batches_tracked == state.model[1].num_batches_tracked == STEPS_PER_EPOCH


# how it stops


def test_it_includes_the_epochs_of_earlier_runs():
    state = new_state()
    trained(state, epochs=2)
    assert trained(state, epochs=2) == []
    assert [record.epoch for record in trained(state, epochs=3)] == [3] * (STEPS_PER_EPOCH + 1)


def test_an_epoch_without_a_batch_ends_the_run():
    def two_epochs(epoch):
        return batches(epoch) if epoch < 2 else []

    state = new_state()
    assert trained(state, epochs=None, given=two_epochs)[-1].epoch == 2


def test_an_empty_training_set_is_an_error():
    with pytest.raises(TrainingError) as caught:
        trained(new_state(), given=lambda _: [])
    assert str(caught.value) == "epoch 1: the training set is empty; check that it has images"


class Source:
    """Batches that record whether they were closed; references prevent other ways of closing."""

    def __init__(self):
        self.closed = False

    def __call__(self, epoch):
        self.held = self.pairs(epoch)
        return self.held

    def pairs(self, epoch):
        try:
            yield from batches(epoch)
        finally:
            self.closed = True


@pytest.mark.parametrize("how", ["used up", "broken off", "failed"])
def test_batches_are_closed_and_modes_restored_however_it_ends(how):
    source, state = Source(), new_state()
    state.model.eval()

    def loss(output, y):
        if how == "failed":
            raise ZeroDivisionError
        return cross_entropy(output, y)

    records = run(state, source, loss, flat, 1, evaluate)
    if how == "failed":
        with pytest.raises(ZeroDivisionError):
            next(records)
    elif how == "broken off":
        next(records)
        assert not source.closed
        assert state.model.training
        records.close()
    else:
        list(records)
    assert source.closed
    assert not any(module.training for module in state.model.modules())


def test_train_mode_while_stepping_and_eval_mode_without_gradients_while_evaluating():
    state, seen = new_state(average=False), []

    def note(model):
        seen.append((model.training, model[1].training, torch.is_grad_enabled()))
        return {}

    for _ in run(state, batches, cross_entropy, flat, 1, note):
        assert state.model.training
        assert state.model[1].training
    assert seen == [(False, False, False)]


def test_layers_in_eval_mode_keep_it():
    """Frozen batch norm: its statistics do not change, even in the second epoch."""
    state = new_state(average=False)
    state.model.train()
    state.model[1].eval()
    trained(state, epochs=2)
    assert state.model[1].num_batches_tracked == 0
    assert [module.training for module in state.model] == [True, False, True, True, True, True]


# numerical errors and out of memory


def poisoned(after: int):
    """The usual batches, with one of NaN after a given number."""

    def given(epoch):
        for index, (x, y) in enumerate(batches(epoch)):
            yield (x * math.nan if epoch * STEPS_PER_EPOCH + index == after else x), y

    return given


def copies(state: State) -> list[torch.Tensor]:
    found = [*state.model.state_dict().values()]
    if state.average:
        found += state.average.module.state_dict().values()
    return [tensor.clone() for tensor in found]


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_nan_loss_stops_before_the_update(optimiser):
    state = new_state(name=optimiser, learning_rate=0.01)
    records = run(state, poisoned(after=4), cross_entropy, flat, 3, evaluate)
    for record in records:
        if record.step == 4 and isinstance(record, Step):
            break
    good = copies(state)
    with pytest.raises(TrainingError) as caught:
        next(records)
    assert str(caught.value) == (
        "epoch 2, step 5: the loss is nan at learning rate 0.01; the parameters were restored to step 4; "
        "lower the learning rate, for instance to 0.001, or clip the gradients"
    )
    assert all(map(torch.equal, good, copies(state)))
    assert all(map(torch.isfinite, map(torch.sum, good)))


def test_with_infrequent_readings_the_last_valid_state_is_restored():
    state = new_state(StepSettings(read_every=20), learning_rate=0.01)
    records = run(state, poisoned(after=4), cross_entropy, flat, 3, evaluate)
    for record in records:
        if isinstance(record, Epoch):
            break
    good, step = copies(state), state.step
    with pytest.raises(TrainingError) as caught:
        list(records)
    assert str(caught.value) == (
        "epoch 2, step 5: the loss is nan at learning rate 0.01; the parameters were restored to step 3; "
        "lower the learning rate, for instance to 0.001, or clip the gradients"
    )
    assert state.step == step == 3
    assert all(map(torch.equal, good, copies(state)))


def test_a_non_finite_gradient_is_detected_with_a_finite_loss():
    """The slope of a square root at 0 is infinite."""
    state = plain_state(line(0.0))
    with pytest.raises(TrainingError) as caught:
        list(
            run(
                state,
                lambda _: [(torch.ones(1, 1), torch.zeros(1, 1))],
                lambda output, _: output.sqrt().mean(),
                flat,
                1,
                lambda _: {},
            )
        )
    assert str(caught.value) == (
        "epoch 1, step 1: the gradient's norm is inf at learning rate 0.1; the parameters were restored to step 0; "
        "lower the learning rate, for instance to 0.01, or clip the gradients"
    )
    assert state.model.weight.item() == 0


def test_after_an_error_training_can_continue_at_a_lower_rate():
    state = new_state(learning_rate=0.01)
    with pytest.raises(TrainingError):
        trained(state, epochs=2, given=poisoned(after=4))
    assert isinstance(trained(state, epochs=2, schedule=lambda _: 0.1)[-1], Epoch)


class Memory(nn.Module):
    """Simulates a device with memory for a given number of images."""

    def __init__(self, holds: int):
        super().__init__()
        self.holds = holds
        self.inside = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))

    def forward(self, x):
        if len(x) > self.holds:
            raise torch.OutOfMemoryError
        return self.inside(x)


def test_out_of_memory_halves_the_micro_batch_with_a_note():
    torch.manual_seed(0)
    small = plain_state(Memory(holds=3))
    torch.manual_seed(0)
    large = plain_state(Memory(holds=100))
    records = trained(small)
    notes = [record for record in records if isinstance(record, Note)]
    text = "out of memory with {} images per pass; continuing with {} and gradient accumulation over the same batch"
    assert notes == [Note(1, 0, text.format(8, 4)), Note(1, 0, text.format(4, 2))]
    assert small.micro_batch == 2
    assert len(records) == len(trained(large)) + 2
    assert torch.allclose(small.model.inside[1].weight, large.model.inside[1].weight, atol=1e-6)


def test_out_of_memory_with_one_image_is_an_error():
    state = plain_state(Memory(holds=0))
    with pytest.raises(TrainingError) as caught:
        trained(state)
    assert str(caught.value) == (
        "epoch 1, step 1: out of memory with a single image; use smaller images or a narrower network"
    )


def test_the_loss_decreases():
    state = plain_state(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), momentum=0.9)
    losses = [
        r.train["loss"] for r in trained(state, epochs=30, schedule=by_steps(constant(), 90)) if isinstance(r, Epoch)
    ]
    assert losses[-1] < 0.1

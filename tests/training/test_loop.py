"""The loop: its records, its updates, and what it does not change."""

import math

import pytest
import torch
from torch import nn

from convscope.errors import TrainingError
from convscope.training import (
    Epoch,
    ExponentialAverage,
    Step,
    StepSettings,
    by_steps,
    run,
)
from convscope.training.schedules import constant, cosine
from helpers.toy_network import (
    STEPS_PER_EPOCH,
    batches,
    cross_entropy,
    evaluate,
    network,
    new_state,
)
from helpers.training_runs import flat, line, plain_state, squared, trained

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
    state, observed = new_state(), []
    list(run(state, batches, cross_entropy, flat, 1, lambda model: observed.append(model) or {}))
    assert observed == [state.average.module]


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
    state, observed = new_state(average=False), []

    def note(model):
        observed.append((model.training, model[1].training, torch.is_grad_enabled()))
        return {}

    for _ in run(state, batches, cross_entropy, flat, 1, note):
        assert state.model.training
        assert state.model[1].training
    assert observed == [(False, False, False)]


def test_layers_in_eval_mode_keep_it():
    """Frozen batch norm: its statistics do not change, even in the second epoch."""
    state = new_state(average=False)
    state.model.train()
    state.model[1].eval()
    trained(state, epochs=2)
    assert state.model[1].num_batches_tracked == 0
    assert [module.training for module in state.model] == [True, False, True, True, True, True]


def test_the_loss_decreases():
    state = plain_state(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), momentum=0.9)
    losses = [
        r.train["loss"] for r in trained(state, epochs=30, schedule=by_steps(constant(), 90)) if isinstance(r, Epoch)
    ]
    assert losses[-1] < 0.1

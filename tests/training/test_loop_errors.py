"""The loop with numerical errors and out of memory."""

import math

import pytest
import torch
from torch import nn

from convscope.errors import TrainingError
from convscope.training import (
    Epoch,
    Note,
    State,
    Step,
    StepSettings,
    run,
)
from helpers.toy_network import (
    STEPS_PER_EPOCH,
    batches,
    cross_entropy,
    evaluate,
    new_state,
)
from helpers.training_runs import flat, line, plain_state, trained


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

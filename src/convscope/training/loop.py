"""The training loop: a generator of records.

    for record in run(state, batches, loss, schedule, epochs, evaluate):
        match record:
            case Step(): ...     show progress
            case Epoch(): ...    update schedules, save the state, break for early stopping
            case Note(): ...     show the message

The caller decides what to do with the records: logging is the body of the `for`, early stopping and pruning are
`break`, the explorer streams the records, a test calls `next()`.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convscope.errors import TrainingError
from convscope.training.captured_step import CapturedStep
from convscope.training.optimisers import set_learning_rate
from convscope.training.schedules import Schedule
from convscope.training.state import State
from convscope.training.step import (
    Loss,
    LossReadings,
    apply_gradients,
    count_step,
    gradients,
    halve_micro_batch,
)

BatchSource = Callable[[int], Iterable[tuple[Tensor, Tensor]]]
Evaluate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class Step:
    """One optimiser step."""

    epoch: int  # current epoch, from 1
    step: int  # steps done, over all epochs
    learning_rate: float  # the highest of all parameter groups
    images: int
    loss: float | None  # mean over the batch; None if it was not read from the device
    gradient_norm: float | None  # over all parameters, before clipping; None if not read


@dataclass(frozen=True)
class Epoch:
    """One epoch, possibly cut short by a time budget, and the scores after it."""

    epoch: int  # epochs finished
    step: int  # steps done, over all epochs
    train: dict[str, float]  # "loss": mean per image over the epoch, during training
    validation: dict[str, float]  # what `evaluate` returned
    seconds: float  # of the whole epoch, evaluation included
    learning_rate: float  # at the last step


@dataclass(frozen=True)
class Note:
    """A change that was necessary to continue the run."""

    epoch: int  # current epoch, from 1
    step: int  # steps done, over all epochs
    text: str


def run(
    state: State, batches: BatchSource, loss: Loss, schedule: Schedule, epochs: int | None, evaluate: Evaluate
) -> Generator[Step | Epoch | Note, None, None]:
    """Train, and yield a `Step` per optimiser step and an `Epoch` per epoch.

    After an `Epoch`, `state` is all that is needed to resume: saved then and loaded in another process, it makes
    bit-identical steps. At the start of each epoch the random number generators are restored to their state at the
    end of the epoch before, so that random numbers drawn by the caller have no effect.

    The network is in train mode while the records are consumed; its mode is restored when the loop ends, is
    interrupted or fails. Submodules that the caller set to eval mode within a network in train mode stay in eval mode
    (frozen batch norm). With micro-batches, batch norm uses the statistics of each micro-batch, which are noisier.

    Args:
        state: the network, optimiser and counters; ``state.epoch`` and ``state.step`` are continued.
        batches: epoch, from 0 -> its pairs of x (B, ...) and y (B, ...), on the network's device. An epoch
            without batches ends the run, which is how a time budget ends it (`TimeBudget.limit`).
        loss: (network output, y) -> scalar tensor, a mean over the batch.
        schedule: steps done -> factor of each group's base learning rate, in [0, 1].
        epochs: total number of epochs, including those before a resume; None: until the batches end.
        evaluate: network in eval mode, without gradients -> scores; it gets the EMA network if there is one.
    Raises:
        TrainingError: the loss or its gradient is not finite (the state is then the last valid one), memory is
            insufficient for a single image, or the training set is empty.
    """
    readings = LossReadings(state)
    captured = CapturedStep(state, loss) if state.capture else None
    with train_mode(state.model, training=True):
        while epochs is None or state.epoch < epochs:
            started, before = time.perf_counter(), state.step
            state.restore_random()
            with closing_iterator(batches(state.epoch)) as pairs:
                for x, y in pairs:
                    rate = set_learning_rate(state.optimiser, schedule(state.step))
                    value, norm = yield from _one_step((x, y), state, loss, readings, captured)
                    yield Step(state.epoch + 1, state.step, rate, len(x), value, norm)
            if state.step == before:
                return require_batches(state)
            train = {"loss": readings.mean_loss()}
            validation = scores(state, evaluate)
            state.epoch += 1
            state.remember_random()
            yield Epoch(state.epoch, state.step, train, validation, time.perf_counter() - started, rate)


def _one_step(
    pair: tuple[Tensor, Tensor], state: State, loss: Loss, readings: LossReadings, captured: CapturedStep | None
) -> Generator[Note, None, tuple[float | None, float | None]]:
    """Do a step with a batch, if possible as a CUDA graph, and return loss and gradient norm where they are read."""
    x, y = pair
    if captured and not captured.failure and not state.micro_batch and (found := captured(x, y)) is not None:
        if captured.failure:
            yield Note(state.epoch + 1, state.step, captured.failure)
        count_step(state)
        return readings.record(state.step, found, len(x))
    while (found := gradients(state, x, y, loss)) is None:
        yield Note(state.epoch + 1, state.step, halve_micro_batch(state, len(x)))
    values = readings.record(state.step + 1, found, len(x))
    apply_gradients(state, found)
    count_step(state)
    return values


def scores(state: State, evaluate: Evaluate) -> dict[str, float]:
    """Return the scores of the network to export, in eval mode and without gradients."""
    with train_mode(state.result, training=False), torch.no_grad(), state.precision():
        return evaluate(state.result)


@contextmanager
def train_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Set train or eval mode inside the context; afterwards restore the mode of every submodule.

    In a network that is already in train mode, submodules in eval mode keep it.
    """
    modes = [(module, module.training) for module in model.modules()]
    if not (training and model.training):
        model.train(training)
    try:
        yield
    finally:
        for module, was_training in modes:
            module.training = was_training


@contextmanager
def closing_iterator(pairs: Iterable[tuple[Tensor, Tensor]]) -> Iterator[Iterable[tuple[Tensor, Tensor]]]:
    """Close the iterator afterwards, even if it was not exhausted, so that its threads end."""
    iterator = iter(pairs)
    try:
        yield iterator
    finally:
        close = getattr(iterator, "close", None)
        if close:
            close()


def require_batches(state: State) -> None:
    """Raise if the first epoch has no batch; in a later epoch it means the end of the time budget."""
    if state.epoch == 0:
        raise TrainingError("epoch 1: the training set is empty; check that it has images")

"""The training loop: a generator of what happened, and nothing else.

    for record in run(state, batches, loss, schedule, epochs, evaluate):
        match record:
            case Step(): ...     show progress
            case Epoch(): ...    feed the plateau, save the state, break when patience is exhausted
            case Note(): ...     say what had to be changed

What the records mean is the caller's affair: logging is the body of the `for`, early stopping and pruning are
`break`, the explorer streams the records, a test calls `next()`.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convscope.errors import TrainingError
from convscope.training.optimisers import set_learning_rate
from convscope.training.schedules import Schedule
from convscope.training.state import State
from convscope.training.step import Loss, LossReadings, gradients, halve_micro_batch, update

BatchSource = Callable[[int], Iterable[tuple[Tensor, Tensor]]]
Evaluate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class Step:
    """One change of the weights."""

    epoch: int  # that it belongs to, from 1
    step: int  # done by now, over all epochs
    learning_rate: float  # the highest of all parameter groups
    images: int
    loss: float | None  # mean over the batch; None where it was not read from the device
    gradient_norm: float | None  # over all parameters, before clipping; None likewise


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images, or the part of it that the time allowed, and the scores after it."""

    epoch: int  # finished by now
    step: int  # done by now, over all epochs
    train: dict[str, float]  # "loss": mean per image over the pass, while the weights changed
    validation: dict[str, float]  # what `evaluate` returned
    seconds: float  # of the whole epoch, evaluation included
    learning_rate: float  # of its last step


@dataclass(frozen=True)
class Note:
    """Something that had to be changed for the run to go on."""

    epoch: int  # going on, from 1
    step: int  # done by now, over all epochs
    text: str


def run(
    state: State, batches: BatchSource, loss: Loss, schedule: Schedule, epochs: int | None, evaluate: Evaluate
) -> Generator[Step | Epoch | Note, None, None]:
    """Train, and yield a `Step` per optimiser step and an `Epoch` per pass.

    After an `Epoch`, `state` is all that is needed to go on: saved then, and loaded in another process, it makes
    the same steps to the bit. The generators of random numbers are put back at the start of each epoch to where
    the one before left them, so that nothing the caller draws in between matters.

    The network is in train mode while the records are consumed, and is left as it was found when the loop ends,
    is broken off or fails. Submodules that the caller put in eval mode within a network in train mode stay so
    (frozen batch norm). Batch norm sees micro-batches where the batch is split, and so has noisier statistics.

    Args:
        state: what is trained; ``state.epoch`` and ``state.step`` count on from where they stand.
        batches: epoch, from 0 -> its pairs of x (B, ...) and y (B, ...), on the network's device. An epoch
            without a batch ends the run: that is how a clock ends one (`Clock.limit`).
        loss: (the network's output, y) -> scalar tensor, a mean over the batch.
        schedule: steps done -> factor of each group's base rate, in [0, 1].
        epochs: the count at which to stop, those done before a resumption included; None: when batches end.
        evaluate: network in eval mode, without gradients -> scores; it gets the average where there is one.
    Raises:
        TrainingError: the loss or its gradient is no longer finite (the state is then the last good one), memory
            does not suffice for a single image, or there is nothing to train on.
    """
    readings = LossReadings(state)
    with train_mode(state.model, training=True):
        while epochs is None or state.epoch < epochs:
            started, before = time.perf_counter(), state.step
            state.restore_random()
            with closing_iterator(batches(state.epoch)) as pairs:
                for x, y in pairs:
                    rate = set_learning_rate(state.optimiser, schedule(state.step))
                    while (found := gradients(state, x, y, loss)) is None:
                        yield Note(state.epoch + 1, state.step, halve_micro_batch(state, len(x)))
                    value, norm = readings.record(found, len(x))
                    update(state, found)
                    yield Step(state.epoch + 1, state.step, rate, len(x), value, norm)
            if state.step == before:
                return require_batches(state)
            train = {"loss": readings.mean_loss()}
            validation = scores(state, evaluate)
            state.epoch += 1
            state.remember_random()
            yield Epoch(state.epoch, state.step, train, validation, time.perf_counter() - started, rate)


def scores(state: State, evaluate: Evaluate) -> dict[str, float]:
    """What `evaluate` says of the network as it would be exported: in eval mode, without gradients."""
    with train_mode(state.result, training=False), torch.no_grad(), state.precision():
        return evaluate(state.result)


@contextmanager
def train_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Train or eval mode inside; afterwards every submodule is as it was found.

    In a network that is in train mode already, submodules in eval mode stay so.
    """
    found = [(module, module.training) for module in model.modules()]
    if not (training and model.training):
        model.train(training)
    try:
        yield
    finally:
        for module, was_training in found:
            module.training = was_training


@contextmanager
def closing_iterator(pairs: Iterable[tuple[Tensor, Tensor]]) -> Iterator[Iterable[tuple[Tensor, Tensor]]]:
    """Close an iterator that can be closed, also when it was not used up, so that no thread of its goes on."""
    iterator = iter(pairs)
    try:
        yield iterator
    finally:
        close = getattr(iterator, "close", None)
        if close:
            close()


def require_batches(state: State) -> None:
    """Say so where not even the first epoch had a batch; later it is the end of the time."""
    if state.step == 0:
        raise TrainingError("epoch 1: there is not one batch to train on; check that the training set has images")

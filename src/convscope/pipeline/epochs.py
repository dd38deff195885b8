"""Runs a training session epoch by epoch."""

from collections.abc import Generator
from functools import partial

from convscope.models import with_auxiliary_loss
from convscope.pipeline.finetune import phases
from convscope.pipeline.session import REPORT_SECONDS, Trainee
from convscope.training import (
    Epoch,
    Note,
    Plateau,
    Step,
    closed,
    run,
)

TIE = 1e-4  # what a nat of loss counts beside the score when the best epoch is chosen: it only breaks ties


def epochs(trainee: Trainee) -> Generator[Step | Epoch | Note]:
    """Train, judging each epoch; ends early when patience or the clock says so."""
    if trainee.best.bad_epochs > trainee.best.patience:  # a run that was killed after its last epoch
        return
    for event in phases(trainee) if trainee.legs else _straight(trainee):
        if not isinstance(event, Epoch):
            yield event
            continue
        if trainee.clock:
            trainee.clock.reserve = REPORT_SECONDS + trainee.answering(trainee.crops)
        score = event.validation[trainee.task.primary]
        if trainee.watch and trainee.legs:
            trainee.watch.see(event.epoch, score, trainee.last_frozen is None or event.epoch <= trainee.last_frozen)
        exhausted = trainee.best.see(score - TIE * event.validation["loss"])
        if isinstance(trainee.schedule, Plateau) and trainee.schedule.see(score):
            rate = trainee.recipe.optimiser.rate * trainee.schedule.current
            yield Note(event.epoch, event.step, f"no better for a while: learning rate down to {rate:.3g}")
        yield event
        if exhausted:
            patience = trainee.recipe.train.stop_patience
            yield Note(event.epoch, event.step, f"stopped: more than {patience} epochs without a better score")
            return


def _straight(trainee: Trainee) -> Generator[Step | Epoch | Note]:
    """All of the network from the first epoch to the last."""
    state, clock, batches = trainee.state, trainee.clock, trainee.train
    loss = with_auxiliary_loss(trainee.task.loss)
    if trainee.compiled and trainee.compiled.way is None:
        with closed(batches(state.epoch)) as pairs:
            left = partial(_left, trainee)
            told = trainee.compiled.decide(state.model, next(iter(pairs)), loss, state.precision, left)
        if told:
            yield Note(state.epoch, state.step, told)
    if clock is None:
        yield from run(state, batches, loss, trainee.schedule, trainee.recipe.train.epochs, trainee.judge)
        return
    yield from run(state, clock.limit(batches), loss, trainee.schedule, None, clock.timing(trainee.judge))


def _left(trainee: Trainee, step: float) -> float:
    """Seconds of training to come, when a step takes so many."""
    if trainee.clock:
        return trainee.clock.seconds - trainee.clock.spent
    return step * (trainee.recipe.train.epochs * len(trainee.train) - trainee.state.step)

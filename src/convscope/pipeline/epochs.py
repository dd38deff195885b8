"""Run a training session epoch by epoch."""

from collections.abc import Generator
from functools import partial

from convscope.models import with_auxiliary_loss
from convscope.pipeline.finetune import finetune
from convscope.pipeline.session import TrainingSession
from convscope.training import (
    Epoch,
    Note,
    PlateauSchedule,
    Step,
    closing_iterator,
    run,
)

TIE = 1e-4  # weight of the loss in the selection of the best epoch: it only breaks ties of the score


def run_epochs(session: TrainingSession) -> Generator[Step | Epoch | Note]:
    """Train and evaluate epoch by epoch; stops early by patience or time budget."""
    if session.best.bad_epochs > session.best.patience:  # a run that was killed after its last epoch
        return
    for event in finetune(session) if session.stages else _train_all(session):
        if not isinstance(event, Epoch):
            yield event
            continue
        session.reserve_for_end()
        score = event.validation[session.task.primary]
        if session.unfreezing_check and session.stages:
            session.unfreezing_check.update(
                event.epoch, score, session.last_frozen is None or event.epoch <= session.last_frozen
            )
        exhausted = session.best.update(score - TIE * event.validation["loss"], event.epoch)
        if isinstance(session.schedule, PlateauSchedule) and session.schedule.update(score):
            rate = session.recipe.optimiser.rate * session.schedule.current
            yield Note(event.epoch, event.step, f"score on a plateau: learning rate reduced to {rate:.3g}")
        yield event
        if exhausted:
            patience = session.recipe.train.stop_patience
            yield Note(event.epoch, event.step, f"early stopping: no better score for more than {patience} epochs")
            return


def _train_all(session: TrainingSession) -> Generator[Step | Epoch | Note]:
    """Train the whole network from the first epoch to the last."""
    state, clock, batches = session.state, session.clock, session.train
    loss = with_auxiliary_loss(session.task.loss)
    if session.compiled and session.compiled.choice is None:
        with closing_iterator(batches(state.epoch)) as pairs:
            seconds_left = partial(_seconds_left, session)
            message = session.compiled.decide(state.model, next(iter(pairs)), loss, state.precision, seconds_left)
        if message:
            yield Note(state.epoch, state.step, message)
    if clock is None:
        yield from run(state, batches, loss, session.schedule, session.recipe.train.epochs, session.evaluate)
        return
    yield from run(state, clock.limit(batches), loss, session.schedule, None, clock.timing(session.evaluate))


def _seconds_left(session: TrainingSession, step: float) -> float:
    """Return the remaining seconds of training, given the seconds of a step."""
    if session.clock:
        return session.clock.seconds - session.clock.spent
    return step * (session.recipe.train.epochs * len(session.train) - session.state.step)

"""Fine-tuning stage by stage, from one unfreezing to the next.

Within a stage, the features of the frozen parts are computed once and cached, and the other parts train on them.
"""

from collections.abc import Callable, Generator
from functools import partial
from itertools import pairwise
from typing import Any

from torch import nn

from convscope.models import with_auxiliary_loss
from convscope.pipeline.frozen_features import frozen_features
from convscope.pipeline.head_fit import fit_head, fitted_layer
from convscope.pipeline.session import TrainingSession
from convscope.pipeline.stages import Stage
from convscope.training import (
    SHAPES,
    Epoch,
    Evaluate,
    FinetuningPlan,
    Note,
    PlateauSchedule,
    Schedule,
    Step,
    freeze,
    run,
)


def finetune(session: TrainingSession) -> Generator[Step | Epoch | Note]:
    """Train stage by stage; a resumed run continues in the stage of its next epoch."""
    assert session.stages is not None  # there is a plan
    stages, state, epochs = session.stages, session.state, session.recipe.train.epochs
    boundaries = [*stages.plan.changes(epochs), epochs + 1]
    for first, after in pairwise(boundaries):
        if state.epoch >= after - 1:
            continue
        freeze(state.model, stages.plan, first)
        stage = stages.start(state.model, first, after - 1)
        yield from _train_stage(session, stage)
        stages.verify(state.model)
        if state.epoch < after - 1:  # stopped by the time budget
            return


def _train_stage(session: TrainingSession, stage: Stage) -> Generator[Step | Epoch | Note]:
    state, features = session.state, frozen_features(session, stage)
    batches: Callable[[int], Any] = session.train
    evaluate: Evaluate = session.evaluate
    if features is not None:
        batches, state.forward = features.train, features.forward
        evaluate = lambda model: session.evaluate(partial(features.forward, model), features.validation)  # noqa: E731
    try:
        if features is not None and (layer := fitted_layer(session, features)) is not None:
            yield from fit_head(session, stage, features, layer, evaluate)
        else:
            yield from _train_epochs(session, stage, batches, evaluate)
    finally:
        state.forward = _full_forward


def _train_epochs(
    session: TrainingSession, stage: Stage, batches: Callable[[int], Any], evaluate: Evaluate
) -> Generator[Step | Epoch | Note]:
    clock, loss = session.clock, with_auxiliary_loss(session.task.loss)
    schedule = _schedule(session, stage)
    if clock:
        batches, evaluate = clock.limit(batches), clock.timing(evaluate)
    yield from run(session.state, batches, loss, schedule, stage.last, evaluate)


def _full_forward(model: nn.Module, x: Any) -> Any:
    return model(x)


def _schedule(session: TrainingSession, stage: Stage) -> Schedule | PlateauSchedule:
    """Return the recipe's schedule, applied to the epochs before the first unfreezing and again to those after it."""
    assert session.stages is not None
    if isinstance(session.schedule, PlateauSchedule):
        return session.schedule
    shape, steps = SHAPES[session.recipe.schedule.name](session.recipe.schedule), len(session.train)
    first, last = cycle_of(session.stages.plan, stage.first, session.recipe.train.epochs)
    before, during, clock = (first - 1) * steps, (last + 1 - first) * steps, session.clock
    began = clock() if clock else 0.0

    def done(step: int) -> float:
        spent = (clock() - began) / (1 - began) if clock and began < 1 else 0.0
        return min(1.0, max((step - before) / during, spent))

    return lambda step: shape(done(step))


def cycle_of(plan: FinetuningPlan, epoch: int, epochs: int) -> tuple[int, int]:
    """Return the first and the last epoch of the learning-rate cycle of an epoch."""
    unfreezing = plan.unfreezes_at
    if unfreezing is None or unfreezing > epochs:
        return 1, epochs
    return (1, unfreezing - 1) if epoch < unfreezing else (unfreezing, epochs)

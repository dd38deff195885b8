"""Fine-tuning stage by stage, from one unfreezing to the next.

Within a stage, the features of the frozen parts are computed once and cached, and the other parts train on them.
"""

import hashlib
from collections.abc import Callable, Generator
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from convscope.datasets import TARGET_KINDS, Batches, FeatureBatches, compute_features, max_views_in_memory
from convscope.models import with_auxiliary_loss
from convscope.pipeline.session import TrainingSession
from convscope.pipeline.stages import Stage
from convscope.training import (
    SHAPES,
    Epoch,
    FinetuningPlan,
    Note,
    PlateauSchedule,
    Schedule,
    Step,
    digests,
    forward_parts,
    freeze,
    is_part_chain,
    num_fixed,
    run,
)

FEATURE_TIME_SHARE = 0.4  # maximum share of a budget for computing features


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
        stages.finish(state.model)
        if state.epoch < after - 1:  # stopped by the time budget
            return


def _train_stage(session: TrainingSession, stage: Stage) -> Generator[Step | Epoch | Note]:
    state, clock = session.state, session.clock
    batches: Callable[[int], Any] = session.train
    evaluate: Callable[[nn.Module], dict[str, float]] = session.evaluate
    features = _frozen_features(session, stage)
    if features is not None:
        first_part, batches, validation = features
        state.forward = partial(_forward_from, first_part)
        evaluate = lambda model: session.evaluate(partial(_forward_from, first_part, model), validation)  # noqa: E731
    schedule = _schedule(session, stage)
    if clock:
        batches, evaluate = clock.limit(batches), clock.timing(evaluate)
    try:
        yield from run(state, batches, with_auxiliary_loss(session.task.loss), schedule, stage.last, evaluate)
    finally:
        state.forward = _full_forward


def _full_forward(model: nn.Module, x: Any) -> Any:
    return model(x)


def _forward_from(first_part: int, model: nn.Module, x: Tensor) -> Tensor:
    return forward_parts(model, x, first_part)


def _frozen_features(session: TrainingSession, stage: Stage) -> tuple[int, FeatureBatches, FeatureBatches] | None:
    """Return the index of the first trained part, and batches of cached features; None where caching is impossible."""
    assert session.stages is not None
    model, plan, views = session.state.model, session.stages.plan, session.recipe.transfer.views
    first_part = num_fixed(model, plan, stage.first)
    trained = session.train
    moving = trained.settings.mix != "none" or TARGET_KINDS[trained.settings.target_kind].spatial
    example = next(iter(session.validation(0)))[0][:2]
    if not first_part or not views or moving or not is_part_chain(model, example):
        return None
    frozen = partial(_forward_frozen, session, first_part)
    room = max_views_in_memory(len(trained.targets), frozen(example)[0])
    if room <= views or stage.last + 1 - stage.first <= views:
        return None
    passes = [trained.single_pass(augmented=view > 0) for view in range(views)]
    train_features = compute_features(
        passes, frozen, _feature_key(session, stage, "train", passes), out_of_time=lambda: _out_of_feature_time(session)
    )
    validation_features = compute_features(
        [session.validation], frozen, _feature_key(session, stage, "validation", [session.validation])
    )
    stage.views, stage.images, stage.seconds = train_features.x.shape[0], train_features.images, train_features.seconds
    return first_part, FeatureBatches(trained, train_features), FeatureBatches(session.validation, validation_features)


def _out_of_feature_time(session: TrainingSession) -> bool:
    return session.clock is not None and session.clock() > FEATURE_TIME_SHARE


def _forward_frozen(session: TrainingSession, first_part: int, x: Tensor) -> Tensor:
    with session.state.precision():
        return forward_parts(session.state.model, x, 0, first_part)


def _feature_key(session: TrainingSession, stage: Stage, split: str, passes: list[Batches]) -> str:
    """Return a digest of everything that the features depend on."""
    assert session.stages is not None
    weights = digests(session.state.model, session.stages.plan, stage.first)
    settings = [one_pass.settings.model_dump_json() for one_pass in passes]
    whole = f"{session.data_fingerprint} {split} {sorted(weights.items())} {session.config.architecture} {settings}"
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


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

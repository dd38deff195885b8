"""Training a network whose first parts are frozen: leg by leg, from one unfreezing to the next.

Within a leg, what the frozen parts make of the images is computed once, and the rest trains on that.
"""

import hashlib
from collections.abc import Callable, Generator
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from convscope.data import Batches, FeatureBatches, compute_features, room_for
from convscope.models import with_auxiliary_loss
from convscope.pipeline.session import Trainee
from convscope.pipeline.stages import Leg
from convscope.training import (
    SHAPES,
    Epoch,
    Note,
    Plan,
    Plateau,
    Schedule,
    Step,
    digests,
    freeze,
    is_chain,
    run,
    standing,
    through,
)

OF_TIME = 0.4  # the most of a budget that goes into computing features


def phases(trainee: Trainee) -> Generator[Step | Epoch | Note]:
    """Train leg by leg; a resumed run goes on in the leg that its next epoch belongs to."""
    assert trainee.legs is not None  # there is a plan
    legs, state, epochs = trainee.legs, trainee.state, trainee.recipe.train.epochs
    turns = [*legs.plan.changes(epochs), epochs + 1]
    for first, after in pairwise(turns):
        if state.epoch >= after - 1:
            continue
        freeze(state.model, legs.plan, first)
        leg = legs.begin(state.model, first, after - 1)
        yield from _leg(trainee, leg)
        legs.end(state.model)
        if state.epoch < after - 1:  # the clock ended it
            return


def _leg(trainee: Trainee, leg: Leg) -> Generator[Step | Epoch | Note]:
    state, clock = trainee.state, trainee.clock
    batches: Callable[[int], Any] = trainee.train
    judge: Callable[[nn.Module], dict[str, float]] = trainee.judge
    kept = _features(trainee, leg)
    if kept is not None:
        place, batches, validation = kept
        state.enter = partial(_enter, place)
        judge = lambda model: trainee.judge(partial(_enter, place, model), validation)  # noqa: E731
    schedule = _schedule(trainee, leg)
    if clock:
        batches, judge = clock.limit(batches), clock.timing(judge)
    try:
        yield from run(state, batches, with_auxiliary_loss(trainee.task.loss), schedule, leg.last, judge)
    finally:
        state.enter = _whole


def _whole(model: nn.Module, x: Any) -> Any:
    return model(x)


def _enter(place: int, model: nn.Module, x: Tensor) -> Tensor:
    return through(model, x, place)


def _features(trainee: Trainee, leg: Leg) -> tuple[int, FeatureBatches, FeatureBatches] | None:
    """Where the part that learns begins, and batches of what comes before it; None where that cannot be kept."""
    assert trainee.legs is not None
    model, plan, views = trainee.state.model, trainee.legs.plan, trainee.recipe.transfer.views
    place = standing(model, plan, leg.first)
    trained = trainee.train
    moving = trained.settings.mix != "none" or trained.settings.moved != "none"
    example = next(iter(trainee.validation(0)))[0][:2]
    if not place or not views or moving or not is_chain(model, example):
        return None
    frozen = partial(_frozen, trainee, place)
    room = room_for(len(trained.targets), frozen(example)[0])
    if room <= views or leg.last + 1 - leg.first <= views:
        return None
    looks = [trained.looking(augmented=view > 0) for view in range(views)]
    made = compute_features(looks, frozen, _told(trainee, leg, "train", looks), late=lambda: _late(trainee))
    seen = compute_features([trainee.validation], frozen, _told(trainee, leg, "validation", [trainee.validation]))
    leg.views, leg.images, leg.seconds = made.x.shape[0], made.images, made.seconds
    return place, FeatureBatches(trained, made), FeatureBatches(trainee.validation, seen)


def _late(trainee: Trainee) -> bool:
    return trainee.clock is not None and trainee.clock() > OF_TIME


def _frozen(trainee: Trainee, place: int, x: Tensor) -> Tensor:
    with trainee.state.precision():
        return through(trainee.state.model, x, 0, place)


def _told(trainee: Trainee, leg: Leg, role: str, looks: list[Batches]) -> str:
    """All that features depend on."""
    assert trainee.legs is not None
    weights = digests(trainee.state.model, trainee.legs.plan, leg.first)
    settings = [look.settings.model_dump_json() for look in looks]
    whole = f"{trainee.images} {role} {sorted(weights.items())} {trainee.config.architecture} {settings}"
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _schedule(trainee: Trainee, leg: Leg) -> Schedule | Plateau:
    """The recipe's shape, laid over the epochs before the first unfreezing, and once more over those after it."""
    assert trainee.legs is not None
    if isinstance(trainee.schedule, Plateau):
        return trainee.schedule
    shape, steps = SHAPES[trainee.recipe.schedule.name](trainee.recipe.schedule), len(trainee.train)
    first, last = span_of(trainee.legs.plan, leg.first, trainee.recipe.train.epochs)
    before, during, clock = (first - 1) * steps, (last + 1 - first) * steps, trainee.clock
    began = clock() if clock else 0.0

    def done(step: int) -> float:
        spent = (clock() - began) / (1 - began) if clock and began < 1 else 0.0
        return min(1.0, max((step - before) / during, spent))

    return lambda step: shape(done(step))


def span_of(plan: Plan, epoch: int, epochs: int) -> tuple[int, int]:
    """The first and the last epoch of the cycle of the learning rate that an epoch belongs to."""
    turn = plan.unfreezes_at
    if turn is None or turn > epochs:
        return 1, epochs
    return (1, turn - 1) if epoch < turn else (turn, epochs)

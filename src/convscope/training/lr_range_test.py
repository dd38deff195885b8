"""The learning-rate range test, which suggests an initial rate (Smith 2017, "Cyclical learning rates", section 3.3)."""

import copy
import math
from contextlib import closing
from dataclasses import dataclass

from pydantic import BaseModel, Field

from convscope.errors import TrainingError
from convscope.training.loop import BatchSource, Step, run
from convscope.training.seeding import random_states, set_random_states
from convscope.training.state import State, StepSettings
from convscope.training.step import Loss


class RangeSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of the sweep."""

    lowest: float = Field(default=1e-6, gt=0)
    highest: float = Field(default=10.0, gt=0)
    steps: int = Field(default=100, ge=10)
    smoothing: float = Field(default=0.8, ge=0, lt=1)  # decay of the moving average of the loss
    diverged: float = Field(default=3.0, gt=1)  # factor of the lowest smoothed loss


@dataclass(frozen=True)
class RangeTest:
    """The curve of a sweep and the suggested rate."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]  # as measured, one per rate
    smoothed: tuple[float, ...]  # their moving average
    diverged_at: float | None  # the first rate at which the loss diverged
    suggestion: float
    why: str


def learning_rate_range_test(
    state: State, batches: BatchSource, loss: Loss, settings: RangeSettings | None = None
) -> RangeTest:
    """Train a copy with an exponentially increasing rate, and find where the loss decreases fastest.

    Network, optimiser and random number generators of `state` are not changed. The sweep stops if the loss diverges.
    Parameter groups keep the ratios of their rates.

    Raises:
        TrainingError: the loss diverged or the batches ended before a rate could be suggested.
    """
    settings = settings or RangeSettings()
    randomness = random_states()
    try:
        curve = _sweep(_copy(state, settings), batches, loss, settings)
    finally:
        set_random_states(randomness)
    return _suggest_rate(curve, settings)


def _copy(state: State, settings: RangeSettings) -> State:
    """Return a copy with the highest rate as base rate; one deepcopy keeps optimiser and network linked."""
    model, optimiser = copy.deepcopy((state.model, state.optimiser))
    highest = max(group.get("initial_lr", group["lr"]) for group in optimiser.param_groups)
    for group in optimiser.param_groups:
        group["initial_lr"] = group.get("initial_lr", group["lr"]) / highest * settings.highest
    own = StepSettings(micro_batch=state.micro_batch, clip=state.settings.clip, read_every=1)
    return State(model, optimiser, settings=own, precision=state.precision)


def _sweep(state: State, batches: BatchSource, loss: Loss, settings: RangeSettings) -> list[tuple[float, float]]:
    span = math.log(settings.lowest / settings.highest)

    def factor(step: int) -> float:
        return math.exp(span * (1 - step / (settings.steps - 1)))

    curve: list[tuple[float, float]] = []
    with closing(run(state, batches, loss, factor, None, lambda _model: {})) as records:
        try:
            for record in records:
                if isinstance(record, Step) and record.loss is not None:
                    curve.append((record.learning_rate, record.loss))
                    if len(curve) == settings.steps or _diverged(_smoothed(curve, settings), settings):
                        break
        except TrainingError:
            if not curve:
                raise
            curve.append((factor(state.step) * settings.highest, math.inf))  # not finite: diverged
    return curve


def _smoothed(curve: list[tuple[float, float]], settings: RangeSettings) -> list[float]:
    """Return the exponential moving average with bias correction, so that it does not start at 0."""
    total = weight = 0.0
    smoothed = []
    for _, loss in curve:
        total = settings.smoothing * total + (1 - settings.smoothing) * loss
        weight = settings.smoothing * weight + (1 - settings.smoothing)
        smoothed.append(total / weight)
    return smoothed


def _diverged(smoothed: list[float], settings: RangeSettings) -> bool:
    return smoothed[-1] > settings.diverged * min(smoothed)


def _suggest_rate(curve: list[tuple[float, float]], settings: RangeSettings) -> RangeTest:
    rates, losses = (tuple(column) for column in zip(*curve, strict=True))
    smoothed = _smoothed(curve, settings)
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__)
    if lowest == 0:
        raise TrainingError(
            f"range test: the loss did not decrease at any learning rate from {rates[0]:g} to {rates[-1]:g}; "
            "start the sweep lower, or check labels and inputs"
        )
    diverged_at = rates[-1] if _diverged(smoothed, settings) else None
    steepest = min(range(1, lowest + 1), key=lambda index: smoothed[index] - smoothed[index - 1])
    suggestion, why = rates[steepest], "the loss decreases fastest there"
    if diverged_at is not None and diverged_at / 10 < suggestion:
        suggestion, why = diverged_at / 10, f"it is a tenth of {diverged_at:.2g}, where training diverges"
    return RangeTest(rates, losses, tuple(smoothed), diverged_at, suggestion, why)

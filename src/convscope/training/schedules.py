"""Learning-rate schedules, over steps or over time.

A *shape* maps the fraction of training done to a factor of the base rate: a pure function from [0, 1] to [0, 1]. A
*schedule*, used by the loop, maps a step to a factor. Two functions turn a shape into a schedule::

    schedule = by_steps(cosine(), total_steps)      a run with a fixed number of epochs
    schedule = by_clock(cosine(), clock)            a run with a time budget

`PlateauSchedule` is a schedule without a shape, driven by the validation score.
"""

import math
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, Field

from convscope.errors import ConfigError
from convscope.training.early_stopping import EarlyStopping

Shape = Callable[[float], float]
Schedule = Callable[[int], float]


class ScheduleSettings(BaseModel, frozen=True, extra="forbid"):
    """The schedule and its settings; a schedule ignores those it does not have."""

    name: Literal["constant", "step", "cosine", "linear", "one_cycle", "plateau"] = "one_cycle"
    at: tuple[float, ...] = (0.5, 0.75)  # step: fractions of training after which the rate drops
    factor: float = Field(default=0.1, gt=0, lt=1)  # step, plateau: factor of the rate at a drop
    warm_up: float = Field(default=0.2, ge=0, lt=1)  # one_cycle: fraction of training with an increasing rate
    patience: int = Field(default=5, ge=0)  # plateau: bad epochs tolerated before a drop


def constant() -> Shape:
    """Return the constant shape 1."""
    return lambda _done: 1.0


def step(at: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Shape:
    """Return a shape multiplied by `factor` at each fraction in `at` (He et al. 2016: at 1/2 and 3/4 of training).

    >>> [round(step()(done), 6) for done in (0.0, 0.49, 0.5, 0.75)]
    [1.0, 1.0, 0.1, 0.01]
    """
    return lambda done: factor ** sum(done >= drop for drop in at)


def cosine() -> Shape:
    """Return half a cosine from 1 to 0 (Loshchilov & Hutter 2017, eq. 5, without restarts)."""
    return lambda done: 0.5 * (1 + math.cos(math.pi * done))


def linear() -> Shape:
    """Return a straight line from 1 to 0."""
    return lambda done: 1 - done


def one_cycle(warm_up: float = 0.2, start: float = 0.04) -> Shape:
    """Return half a cosine from `start` up to 1 during `warm_up`, then half a cosine down to 0.

    Smith & Topin 2018, "Super-convergence", with cosines instead of straight lines.
    """

    def shape(done: float) -> float:
        if done < warm_up:
            return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * done / warm_up))
        return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))

    return shape


SHAPES: dict[str, Callable[[ScheduleSettings], Shape]] = {
    "constant": lambda _settings: constant(),
    "step": lambda settings: step(settings.at, settings.factor),
    "cosine": lambda _settings: cosine(),
    "linear": lambda _settings: linear(),
    "one_cycle": lambda settings: one_cycle(settings.warm_up),
}


def by_steps(shape: Shape, total_steps: int) -> Schedule:
    """Return the schedule of `shape` over `total_steps` optimiser steps; later steps keep the last factor."""
    return lambda step: shape(min(step / total_steps, 1.0))


def by_clock(shape: Shape, clock: Callable[[], float]) -> Schedule:
    """Return the schedule of `shape` over time; `clock` returns the fraction of the budget that is spent."""
    return lambda _step: shape(clock())


class PlateauSchedule:
    """A schedule whose factor drops when the validation score stops improving.

    Call `update` with each epoch's score before the state is saved, and keep the schedule in `State.extras`, so that a
    resumed run restores it. After exactly ``patience + 1`` consecutive bad epochs the factor is multiplied by `factor`,
    and the count is reset.

    >>> plateau = PlateauSchedule(factor=0.5, patience=1)
    >>> [plateau.update(1.0) for _ in range(5)]
    [False, False, True, False, True]
    >>> plateau(100)
    0.25
    """

    def __init__(
        self, factor: float = 0.1, patience: int = 5, mode: Literal["min", "max"] = "min", min_delta: float = 0.0
    ) -> None:
        """Set the factor, the number of bad epochs to tolerate, the direction, and the minimum improvement."""
        self.factor = factor
        self.current = 1.0
        self.progress = EarlyStopping(patience, mode, min_delta)

    def __call__(self, _step: int) -> float:
        """Return the factor, which depends on the scores and not on the step."""
        return self.current

    def update(self, score: float) -> bool:
        """Add an epoch's score; return whether the rate drops."""
        drops = self.progress.update(score)
        if drops:
            self.current *= self.factor
            self.progress.bad_epochs = 0
        return drops

    def state_dict(self) -> dict[str, float | None]:
        """Return the current factor and the counters."""
        return {"current": self.current, **self.progress.state_dict()}

    def load_state_dict(self, content: dict[str, float | None]) -> None:
        """Restore what `state_dict` returned."""
        self.current = float(content["current"] or 0.0)
        self.progress.load_state_dict(content)


def build_schedule(
    settings: ScheduleSettings,
    *,
    total_steps: int | None = None,
    clock: Callable[[], float] | None = None,
    mode: Literal["min", "max"] = "min",
) -> Schedule | PlateauSchedule:
    """Return the schedule described by `settings`, over `clock` if given, else over `total_steps`.

    Args:
        settings: the schedule and its settings.
        total_steps: optimiser steps of the whole run; not needed with a clock, nor for ``plateau``.
        clock: returns the fraction of the time budget that is spent, in [0, 1].
        mode: for ``plateau``: whether a lower or a higher validation score is better.
    Raises:
        ConfigError: neither `clock` nor `total_steps` is given.
    """
    if settings.name == "plateau":
        return PlateauSchedule(settings.factor, settings.patience, mode)
    shape = SHAPES[settings.name](settings)
    if clock:
        return by_clock(shape, clock)
    if not total_steps:
        raise ConfigError(
            f"schedule: {settings.name} needs a number of steps, and total_steps is {total_steps}; "
            "give total_steps or a clock"
        )
    return by_steps(shape, total_steps)

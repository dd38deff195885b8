"""Learning-rate schedules: a shape laid over steps or over time.

A *shape* says which factor of the base rate holds when a given fraction of training is done: a pure function from
[0, 1] to [0, 1]. A *schedule* is what the loop asks: step -> factor. Two functions make the one from the other::

    schedule = by_steps(cosine(), total_steps)      a run of so many epochs
    schedule = by_clock(cosine(), clock)            a run of so many minutes: the shape ends when the time does

`PlateauSchedule` is a schedule without a shape: it waits for the validation score to stop improving.
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
    """Which schedule, and its constants; those that a schedule does not have are ignored by it."""

    name: Literal["constant", "step", "cosine", "linear", "one_cycle", "plateau"] = "one_cycle"
    at: tuple[float, ...] = (0.5, 0.75)  # step: fractions of training after which the rate drops
    factor: float = Field(default=0.1, gt=0, lt=1)  # step, plateau: what the rate is multiplied by
    warm_up: float = Field(default=0.2, ge=0, lt=1)  # one_cycle: fraction of training spent rising
    patience: int = Field(default=5, ge=0)  # plateau: bad epochs borne before a drop


def constant() -> Shape:
    """The base rate throughout."""
    return lambda _done: 1.0


def step(at: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Shape:
    """Multiply by `factor` at each fraction in `at` (He et al. 2016: at 1/2 and 3/4 of training).

    >>> [round(step()(done), 6) for done in (0.0, 0.49, 0.5, 0.75)]
    [1.0, 1.0, 0.1, 0.01]
    """
    return lambda done: factor ** sum(done >= drop for drop in at)


def cosine() -> Shape:
    """Half a cosine from 1 to 0 (Loshchilov & Hutter 2017, eq. 5, without restarts)."""
    return lambda done: 0.5 * (1 + math.cos(math.pi * done))


def linear() -> Shape:
    """A straight line from 1 to 0."""
    return lambda done: 1 - done


def one_cycle(warm_up: float = 0.2, start: float = 0.04) -> Shape:
    """Rise along half a cosine from `start` to 1 during `warm_up`, then fall along another to 0.

    Smith & Topin 2018, "Super-convergence", with cosines for straight lines.
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
    """Lay `shape` over `total_steps` optimiser steps; what follows keeps the last factor."""
    return lambda step: shape(min(step / total_steps, 1.0))


def by_clock(shape: Shape, clock: Callable[[], float]) -> Schedule:
    """Lay `shape` over time: `clock` gives the fraction of the budget that is spent, whatever the step."""
    return lambda _step: shape(clock())


class PlateauSchedule:
    """The factor of a schedule that drops whenever the validation score has stopped improving.

    Feed it each epoch's score with `update` before the state is saved, and keep it in ``State.extras`` so that a
    resumed run goes on alike. After exactly ``patience + 1`` bad epochs in a row the factor is multiplied by
    `factor`, and the count begins again.

    >>> plateau = Plateau(factor=0.5, patience=1)
    >>> [plateau.see(1.0) for _ in range(5)]
    [False, False, True, False, True]
    >>> plateau(100)
    0.25
    """

    def __init__(
        self, factor: float = 0.1, patience: int = 5, mode: Literal["min", "max"] = "min", min_delta: float = 0.0
    ) -> None:
        """Take the drop, how many bad epochs are borne, whether lower or higher is better, and how much is better."""
        self.factor = factor
        self.current = 1.0
        self.progress = EarlyStopping(patience, mode, min_delta)

    def __call__(self, _step: int) -> float:
        """Return the factor, which depends on the scores seen and not on the step."""
        return self.current

    def update(self, score: float) -> bool:
        """Take an epoch's score; return whether the rate drops because of it."""
        drops = self.progress.update(score)
        if drops:
            self.current *= self.factor
            self.progress.bad_epochs = 0
        return drops

    def state_dict(self) -> dict[str, float | None]:
        """The factor in force and what has been counted."""
        return {"current": self.current, **self.progress.state_dict()}

    def load_state_dict(self, content: dict[str, float | None]) -> None:
        """Go on from what `state_dict` returned."""
        self.current = float(content["current"] or 0.0)
        self.progress.load_state_dict(content)


def build_schedule(
    settings: ScheduleSettings,
    *,
    total_steps: int | None = None,
    clock: Callable[[], float] | None = None,
    mode: Literal["min", "max"] = "min",
) -> Schedule | PlateauSchedule:
    """Return the schedule that `settings` describe, over `clock` where there is one, else over `total_steps`.

    Args:
        settings: which one, and its constants.
        total_steps: optimiser steps of the whole run; not needed with a clock, nor for ``plateau``.
        clock: fraction of the time that is spent, in [0, 1].
        mode: for ``plateau``: whether a lower or a higher validation score is better.
    Raises:
        ConfigError: neither a clock nor a number of steps to lay the shape over.
    """
    if settings.name == "plateau":
        return PlateauSchedule(settings.factor, settings.patience, mode)
    shape = SHAPES[settings.name](settings)
    if clock:
        return by_clock(shape, clock)
    if not total_steps:
        raise ConfigError(f"schedule: {settings.name} is laid over {total_steps} steps; give total_steps or a clock")
    return by_steps(shape, total_steps)

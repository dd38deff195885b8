"""Charts of a search as SVG text, in the style of `convscope.charts`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convscope.charts import INK, TRAIN, VALIDATION, literal, new_figure, to_svg
from convscope.tuning.importance import Importance
from convscope.tuning.parameter import Parameter, as_text
from convscope.tuning.space import Space
from convscope.tuning.study import Study, Trial

SLICES = 6  # parameters with a chart of their own
FAINTEST = 0.12  # opacity of the worst trial's line


def best_so_far(study: Study, metric: str) -> str:
    """Draw the score of every trial at every rung by time, and the best so far as steps."""
    points = sorted(
        (result.clock, result.score, rung) for one in study.completed() for rung, result in one.results.items()
    )
    times, scores, rungs = (np.array(column, np.float64) for column in zip(*points, strict=True))
    with new_figure(1, 1, (11, 3.2)) as (figure, axes):
        axes.scatter(
            times, scores, s=10 + 14 * rungs, color=TRAIN, alpha=0.5, linewidths=0, label="trials, larger: longer"
        )
        axes.step(times, np.maximum.accumulate(scores), where="post", color=VALIDATION, label="best so far")
        low = float(np.quantile(scores, 0.25))
        axes.set_ylim(low - 0.05 * (scores.max() - low + 1e-9), scores.max() + 0.08 * (scores.max() - low + 1e-9))
        axes.set_xlabel("seconds of the search")
        axes.set_ylabel(literal(f"validation {metric}"))
        axes.legend(fontsize=8, loc="lower right")
        return to_svg(figure)


def parallel_coordinates(trials: Sequence[Trial], space: Space) -> str:
    """Draw a line per trial through its values, the best the strongest; parameters that do not apply are gaps.

    Args:
        trials: the best first.
        space: of the search.
    """
    parameters = space.parameters
    with new_figure(1, 1, (11, 3.6)) as (figure, axes):
        for place, one in reversed(list(enumerate(trials))):
            active = space.active(one.values)
            heights = [p.fraction(active[p.name]) if p.name in active else np.nan for p in parameters]
            worth = 1 - place / max(1, len(trials) - 1)
            axes.plot(
                range(len(parameters)), heights, color=VALIDATION if place == 0 else TRAIN, marker="o", markersize=3,
                alpha=FAINTEST + (1 - FAINTEST) * worth**3, linewidth=2.4 if place == 0 else 1.2,
            )  # fmt: skip
        for index, parameter in enumerate(parameters):
            bottom, top = ends(parameter)
            axes.text(index, -0.04, bottom, ha="center", va="top", fontsize=7)
            axes.text(index, 1.03, top, ha="center", va="bottom", fontsize=7)
        axes.set_xticks(range(len(parameters)), [literal(one.title) for one in parameters], rotation=30, ha="right")
        axes.tick_params(axis="x", pad=10)
        axes.set_yticks([])
        axes.set_ylim(-0.1, 1.1)
        axes.grid(axis="x")
        return to_svg(figure)


def importance_bars(found: Sequence[Importance]) -> str:
    """Draw the share of each parameter with its 95 % interval."""
    shown = list(found)[::-1]
    with new_figure(1, 1, (7, 0.6 + 0.27 * len(shown))) as (figure, axes):
        shares = np.array([one.share for one in shown])
        errors = np.array([[one.share - one.low for one in shown], [one.high - one.share for one in shown]])
        axes.barh([literal(one.title) for one in shown], shares, color=TRAIN, xerr=errors, ecolor=INK)
        axes.set_xlabel("share of the importance, with its 95 % interval")
        return to_svg(figure)


def slices(trials: Sequence[Trial], space: Space, names: Sequence[str], metric: str) -> str:
    """Draw the score by the value of each of some parameters; rungs are shown by the size of the points."""
    chosen = [space[name] for name in names][:SLICES]
    with new_figure(1, len(chosen), (11, 2.8)) as (figure, panels):
        axes_of = list(np.atleast_1d(panels))
        for axes, one in zip(axes_of, chosen, strict=True):
            known = [(trial, space.active(trial.values)) for trial in trials]
            points = [(active[one.name], trial.result, trial.rung) for trial, active in known if one.name in active]
            values: list[Any] = [as_text(v) if one.kind == "choice" else v for v, _, _ in points]
            scores = [result.score for _, result, _ in points if result]
            axes.scatter(
                values, scores, s=[10 + 14 * rung for _, _, rung in points], color=TRAIN, alpha=0.6, linewidths=0
            )
            if one.log:
                axes.set_xscale("log")
            axes.set_xlabel(literal(one.title))
        axes_of[0].set_ylabel(literal(f"validation {metric}"))
        return to_svg(figure)


def cost_and_score(trials: Sequence[Trial], metric: str) -> str:
    """Draw the score by seconds of an epoch and by parameters, with the networks that no other beats in both."""
    with new_figure(1, 2, (11, 3.2)) as (figure, panels):
        for axes, name, costs in (
            (panels[0], "seconds of an epoch", [one.epoch_seconds for one in trials]),
            (panels[1], "parameters", [float(one.num_parameters) for one in trials]),
        ):
            scores = [one.result.score for one in trials if one.result]
            axes.scatter(costs, scores, s=14, color=TRAIN, alpha=0.5, linewidths=0, label="trials")
            front = pareto_front(costs, scores)
            axes.plot([costs[i] for i in front], [scores[i] for i in front], color=VALIDATION, marker="o", markersize=4,
                      label="none is better and cheaper")  # fmt: skip
            axes.set_xscale("log")
            axes.set_xlabel(name)
        panels[0].set_ylabel(literal(f"validation {metric}"))
        panels[0].legend(fontsize=8)
        return to_svg(figure)


def pareto_front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Return the indices that no other beats in both, from the cheapest to the most expensive.

    >>> pareto_front([1.0, 2.0, 3.0], [0.5, 0.4, 0.9])
    [0, 2]
    """
    front: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], -scores[i])):
        if not front or scores[index] > scores[front[-1]]:
            front.append(index)
    return front


def ends(one: Parameter) -> tuple[str, str]:
    """Return the texts at both ends of a parameter's axis."""
    if one.kind == "choice":
        return as_text(one.choices[0]), as_text(one.choices[-1])
    return as_text(one.low), as_text(one.high)

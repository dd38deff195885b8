"""Which parameters mattered: Optuna's PED-ANOVA with a bootstrap interval."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convscope.extras import extra
from convscope.tuning.sampler import finished_trial, new_study
from convscope.tuning.space import Space
from convscope.tuning.study import Study

FEWEST = 20  # finished trials below which nothing is said
MOST = 100  # trials that are used, so that the time is bounded
RESAMPLES = 20
NAMED = 3  # parameters in the sentence


@dataclass(frozen=True)
class Importance:
    """A parameter's share of the importance of all, from 0 to 1, with its 95 % interval over resampled trials."""

    name: str
    title: str
    share: float
    low: float
    high: float


def importances(study: Study, space: Space, seed: int = 0) -> list[Importance]:
    """Return the importance of each parameter, the greatest first; none below `FEWEST` trials.

    Watanabe et al. 2023 (PED-ANOVA): how the values of the best tenth of the trials differ from those of all.
    Compared are the results of the highest rung that enough trials completed.

    Args:
        study: the search.
        space: its parameters.
        seed: of the resampling.
    """
    rung = max((rung for rung, numbers in study.reached.items() if len(numbers) >= FEWEST), default=-1)
    if rung < 0 or len(space.parameters) < 2:
        return []
    results = list(study.results(rung).items())[-MOST:]
    trials = [finished_trial(space, study.trials[number].values, result.rank) for number, result in results]
    whole = _shares(trials, space)
    random = np.random.default_rng(seed)
    chosen = (random.integers(0, len(trials), len(trials)) for _ in range(RESAMPLES))
    resampled = np.array([_shares([trials[i] for i in rows], space) for rows in chosen])
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    found = [
        Importance(one.name, one.title, float(share), float(min(a, share)), float(max(b, share)))
        for one, share, a, b in zip(space.parameters, whole, low, high, strict=True)
    ]
    return sorted(found, key=lambda one: -one.share)


def sentence(found: Sequence[Importance], trials: int) -> str:
    """Say what mattered; "" where nothing is known."""
    if not found:
        return ""
    parts = [
        f"{one.title} ({100 * one.share:.0f} %, 95 % interval {100 * one.low:.0f} to {100 * one.high:.0f} %)"
        for one in found[:NAMED]
    ]
    return f"What mattered most, as shares of the importance over {trials} trials: {', '.join(parts)}."


def _shares(trials: Sequence[object], space: Space) -> list[float]:
    """Return the importance of each parameter, in their order; they sum to 1, or are all 0."""
    with extra("tune", "tune"):
        import optuna

    study = new_study()
    study.add_trials(trials)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optuna.importance.PedAnovaImportanceEvaluator().evaluate(study)
    total = sum(found.values())
    return [float(found.get(one.name, 0.0)) / total if total > 0 else 0.0 for one in space.parameters]

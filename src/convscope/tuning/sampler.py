"""Proposals for the next trial: Optuna's multivariate TPE on the highest rung with enough results.

Optuna keeps nothing: its study is built in memory from the log, and its sampler starts anew for every proposal with a
seed from (seed, number of the trial, finished trials). So the same log gives the same proposal after any kill.

Numbers are given to TPE as fractions of their range, real numbers from 0 to 1: for whole numbers it would sum the
probability of each in pure Python, which takes ten times as long. The results it sees are bounded too (`history`).
See docs/decisions/2026-11-28-tuning.md.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convscope.extras import extra
from convscope.tuning.parameter import Parameter, Value
from convscope.tuning.space import Space
from convscope.tuning.study import Study

if TYPE_CHECKING:
    import optuna

RANDOM = 10  # results of a rung before the first proposal that depends on them
ATTEMPTS = 20  # proposals in a row that are refused or repeated, after which values are drawn at random
KEPT_BEST, KEPT_LATEST, BLOCK = 40, 20, 40  # of more results than KEPT_BEST + KEPT_LATEST + BLOCK


class Sampler:
    """Proposes values for the parameters of a space.

    Args:
        space: the parameters.
        seed: of the search.
        random: how many results a rung must have before proposals depend on them.
    """

    def __init__(self, space: Space, seed: int, random: int = RANDOM) -> None:
        self.space, self.seed, self.random = space, seed, random
        self._history: list[int] = []
        self._rung = -1
        self._study: optuna.Study | None = None

    def propose(self, study: Study, number: int, attempt: int = 0) -> dict[str, Value]:
        """Return values for all parameters.

        Args:
            study: the search so far.
            number: of the trial.
            attempt: how many proposals for it were refused.
        """
        rung = self.rung(study)
        entropy = (self.seed, number, len(study.completed()), attempt)
        if rung < 0 or attempt >= ATTEMPTS:
            return self.space.sample(np.random.default_rng(entropy))
        past = self._optuna_study(study, rung)
        past.sampler = tpe(self.space, int(np.random.SeedSequence(entropy).generate_state(1)[0]))
        chosen = proposal(past, self.space)
        return {
            one.name: chosen[one.name] if one.kind == "choice" else one.at(chosen[one.name])
            for one in self.space.parameters
        }

    def rung(self, study: Study) -> int:
        """Return the highest rung with enough results to learn from; -1: none has."""
        return max((rung for rung, numbers in study.reached.items() if len(numbers) >= self.random), default=-1)

    def _optuna_study(self, study: Study, rung: int) -> "optuna.Study":
        """Return the results of a rung as an Optuna study; new ones are added to it, until the bound is reached."""
        ranks = {number: result.rank for number, result in study.results(rung).items()}
        numbers = history(list(ranks.items()))
        added = len(self._history)
        if self._study is None or rung != self._rung or self._history != numbers[:added]:
            self._study, added = new_study(), 0
        for number in numbers[added:]:
            self._study.add_trial(finished_trial(self.space, study.trials[number].values, ranks[number]))
        self._history, self._rung = numbers, rung
        return self._study


def history(results: Sequence[tuple[int, float]]) -> list[int]:
    """Return the trials that TPE sees, of (number, score) pairs in the order in which they ended.

    All, up to a bound. Of more, the best and the latest, so that the time of a proposal stays the same; the choice
    changes once in `BLOCK` results, so that the study is not built anew for each.
    """
    if len(results) <= KEPT_BEST + KEPT_LATEST + BLOCK:
        return [number for number, _ in results]
    end = len(results) // BLOCK * BLOCK - KEPT_LATEST
    best = sorted(results[:end], key=lambda pair: (-pair[1], pair[0]))[:KEPT_BEST]
    return [number for number, _ in best] + [number for number, _ in results[end:]]


def new_study(**options: Any) -> "optuna.Study":
    """Return an Optuna study that maximises a score, in memory unless `options` give a storage."""
    with extra("tune", "tune"):
        import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", **options)


def tpe(space: Space, seed: int) -> "optuna.samplers.TPESampler":
    """Return the sampler. Parameters that do not apply are proposed too, and ignored: groups take 20 times as long."""
    import optuna

    ranges = distributions(space)

    class KnownSpace(optuna.samplers.TPESampler):
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:  # noqa: ARG002
            """Return the ranges, which Optuna would compare over all trials."""
            return ranges

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return KnownSpace(n_startup_trials=0, multivariate=True, constant_liar=False, seed=seed)


def proposal(study: "optuna.Study", space: Space) -> dict[str, Any]:
    """Return what the study's sampler proposes; the trial that Optuna opens for it ends at once, and does not count."""
    import optuna

    trial = study.ask(distributions(space))
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return dict(trial.params)


def finished_trial(space: Space, values: Mapping[str, Value], score: float) -> "optuna.trial.FrozenTrial":
    """Return a finished Optuna trial with these values, numbers as fractions of their range, and this score."""
    import optuna

    fractions = {
        one.name: values[one.name] if one.kind == "choice" else one.fraction(values[one.name])
        for one in space.parameters
    }
    return optuna.trial.create_trial(params=fractions, distributions=distributions(space), value=score)


def distributions(space: Space) -> "dict[str, optuna.distributions.BaseDistribution]":
    """Return the ranges as Optuna describes them: choices, and fractions from 0 to 1."""
    return {one.name: _distribution(one) for one in space.parameters}


def _distribution(one: Parameter) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return CategoricalDistribution(one.choices) if one.kind == "choice" else FloatDistribution(0.0, 1.0)

"""Proposals for the next trial: Optuna's multivariate TPE on the highest rung with enough results.

Optuna keeps nothing: its study is built in memory from the log, and its sampler starts anew for every proposal with a
seed from (seed, number of the trial, finished trials). So the same log gives the same proposal after any kill.
"""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from convscope.extras import extra
from convscope.tuning.parameter import Parameter, Value
from convscope.tuning.space import Space
from convscope.tuning.study import Study

if TYPE_CHECKING:
    import optuna

RANDOM = 8  # trials before the first proposal that depends on results
ATTEMPTS = 20  # proposals in a row that are refused or repeated, after which values are drawn at random


class Sampler:
    """Proposes values for the parameters of a space.

    Args:
        space: the parameters.
        seed: of the search.
        random: how many trials are drawn uniformly first.
    """

    def __init__(self, space: Space, seed: int, random: int = RANDOM) -> None:
        self.space, self.seed, self.random = space, seed, random
        self._studies: dict[int, _Rung] = {}

    def propose(self, study: Study, number: int, attempt: int = 0) -> dict[str, Value]:
        """Return values for a trial.

        Args:
            study: the search so far.
            number: of the trial.
            attempt: how many proposals for it were refused.
        """
        finished = len(study.completed())
        rung = self._rung(study)
        entropy = (self.seed, number, finished, attempt)
        if rung is None or attempt >= ATTEMPTS:
            return self.space.sample(np.random.default_rng(entropy))
        return self._rung_study(rung).propose(study, int(np.random.SeedSequence(entropy).generate_state(1)[0]))

    def _rung(self, study: Study) -> int | None:
        """Return the highest rung with enough results to learn from; None: none has."""
        for rung in range(study.last_rung, -1, -1):
            if sum(bool(study.trials[number].values) for number in study.results(rung)) >= self.random:
                return rung
        return None

    def _rung_study(self, rung: int) -> "_Rung":
        return self._studies.setdefault(rung, _Rung(self.space, rung))


class _Rung:
    """The results of one rung as an Optuna study; each trial is added once."""

    def __init__(self, space: Space, rung: int) -> None:
        self.space, self.rung = space, rung
        self.added: set[int] = set()
        self.study = new_study()

    def propose(self, study: Study, seed: int) -> dict[str, Value]:
        for number, score in study.results(self.rung).items():
            one = study.trials[number]
            if number not in self.added and one.values:
                self.study.add_trial(frozen_trial(self.space, one.values, score))
            self.added.add(number)
        self.study.sampler = tpe(seed)
        trial = self.study.ask({one.name: distribution(one) for one in self.space.parameters})
        return dict(trial.params)


def new_study(**options: Any) -> "optuna.Study":
    """Return an Optuna study that maximises a score, in memory unless `options` give a storage."""
    with extra("tune", "tune"):
        import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", **options)


def tpe(seed: int) -> "optuna.samplers.TPESampler":
    """Return the sampler. Parameters that do not apply are proposed too, and ignored: groups take 20 times as long."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(n_startup_trials=0, multivariate=True, seed=seed)


def frozen_trial(space: Space, values: Mapping[str, Value], score: float) -> "optuna.trial.FrozenTrial":
    """Return a finished Optuna trial with these values and this score."""
    import optuna

    known = {name: value for name, value in values.items() if name in space and space[name].contains(value)}
    return optuna.trial.create_trial(
        params=known, distributions={name: distribution(space[name]) for name in known}, value=score
    )


def distribution(one: Parameter) -> "optuna.distributions.BaseDistribution":
    """Return a parameter's range as Optuna describes it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.kind == "choice":
        return CategoricalDistribution(one.choices)
    if one.kind == "int":
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)

"""The trials of a search as a study in a file, which Optuna's dashboard and its functions read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.errors import ConfigError
from convscope.tuning.folder import SearchFolder
from convscope.tuning.parameter import Parameter
from convscope.tuning.sampler import new_study
from convscope.tuning.study import Trial
from convscope.tuning.summary import SearchSummary

if TYPE_CHECKING:
    import optuna

SQLITE = (".db", ".sqlite", ".sqlite3")


def export_study(path: Path, file: Path) -> int:
    """Write all trials of a search to a file; return their number.

    Each trial has its values where they apply, the score after each rung, and why it was stopped.

    Args:
        path: the folder of the search.
        file: SQLite where it ends in ``.db``, else Optuna's journal.

    Raises:
        ConfigError: the file exists.
        RunError: there is no such search.
        MissingExtraError: Optuna is not installed.
    """
    if file.exists():
        raise ConfigError(f"--optuna {file}: the file exists; give the name of a new one")
    summary = SearchSummary.read(SearchFolder.open(path))
    trials = [_trial(summary.plan.space.parameters, one) for one in summary.study.trials.values()]
    new_study(storage=_storage(file), study_name=path.name).add_trials(trials)
    return len(trials)


def is_complete(path: Path) -> bool:
    """Whether a search has ended.

    Raises:
        RunError: there is no such search.
    """
    return SearchSummary.read(SearchFolder.open(path)).study.finished


def _storage(file: Path) -> Any:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix in SQLITE:
        return RDBStorage(f"sqlite:///{file.absolute()}")
    return JournalStorage(JournalFileBackend(str(file)))


def _trial(parameters: tuple[Parameter, ...], one: Trial) -> "optuna.trial.FrozenTrial":
    from optuna.trial import TrialState, create_trial

    known = {
        each.name: one.values[each.name]
        for each in parameters
        if each.name in one.values and each.applies(one.values) and each.contains(one.values[each.name])
    }
    steps = {result.epochs: result.score for result in one.results.values()}
    state = TrialState.FAIL if not one.results else TrialState.PRUNED if one.stopped else TrialState.COMPLETE
    return create_trial(
        state=state,
        params=known,
        distributions={each.name: _distribution(each) for each in parameters if each.name in known},
        value=one.result.score if one.result and state == TrialState.COMPLETE else None,
        intermediate_values=steps,
        user_attrs={"parameters": one.num_parameters, "seconds": one.seconds, "stopped": one.stopped},
    )


def _distribution(one: Parameter) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.kind == "choice":
        return CategoricalDistribution(one.choices)
    if one.kind == "int":
        return IntDistribution(round(one.low), round(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)

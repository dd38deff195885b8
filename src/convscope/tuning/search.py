"""A search from data to report: trials, then the default recipe and the winner in full, inside one time limit."""

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convscope.errors import ConfigError, RunError
from convscope.extras import MissingExtraError, require
from convscope.pipeline.build import data_fingerprint
from convscope.progress import Progress
from convscope.runs.overrides import Overrides, lay
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.tuning.events import SearchEvent, SearchFinished, SearchReady, TrainingStarted
from convscope.tuning.folder import DEFAULT, WINNER, SearchFolder
from convscope.tuning.full_training import default_settings, train_default, train_winner, winner_settings
from convscope.tuning.importance import importances
from convscope.tuning.leases import Leases
from convscope.tuning.plan import SearchPlan
from convscope.tuning.report import write_report
from convscope.tuning.request import SearchRequest
from convscope.tuning.selection_bias import estimate_of
from convscope.tuning.setup import SearchSetup, check_request, restore, set_up
from convscope.tuning.state import SearchState
from convscope.tuning.study import Study
from convscope.tuning.worker import WAIT, Worker
from convscope.tuning.worker_process import more_workers

SHARE = 0.2
"""Of the budget, for the winner's training in full; as much again for the default recipe's."""
END_SECONDS = 3.0  # of a budget, for the report of the search


@dataclass(frozen=True, eq=False)
class Session:
    """A search in this process: its state, plan and data, and what the user asked for."""

    state: SearchState
    setup: SearchSetup
    request: SearchRequest

    @property
    def plan(self) -> SearchPlan:
        """The plan."""
        return self.setup.plan

    def worker(self) -> Worker:
        """Return a worker for the trials."""
        limits = (search_seconds(self.request), self.request.trials)
        return Worker(self.state, self.plan, self.setup.trial_data, self.setup.task, *limits)


def searching(
    source: str,
    out: Path,
    settings: Settings | None,
    request: SearchRequest,
    on_progress: Progress | None = None,
    started: float | None = None,
) -> Generator[SearchEvent]:
    """Search networks for a data source, and yield events.

    Args:
        source: a folder, a table or a built-in name.
        out: the folder of the search, to create.
        settings: of the recipe, which all trials share.
        request: limits and ranges.
        on_progress: called with (images decoded, number of images).
        started: the start of the search and its budget, by `time.monotonic`; None: now.

    Raises:
        ConvscopeError: see its subclasses.
    """
    started = time.monotonic() if started is None else started
    require("tune", "tune")
    overrides = lay(as_overrides(settings), Overrides.of({"data": {"source": source}}, "DATA"))
    check_request(overrides, list(request.ranges))
    with _created(out) as folder:
        setup = set_up(overrides, request, search_seconds(request), on_progress)
        leases = Leases(folder.workers)
        with leases.held():
            state = SearchState(folder, leases, started)
            with state.locked():
                state.write(
                    "search", plan=setup.plan.to_json(), request=asdict(request), primary=setup.task.primary,
                    search_seconds=search_seconds(request),
                    fingerprint=data_fingerprint(setup.prepared), images=len(setup.prepared.dataset),
                )  # fmt: skip
            yield from _run(Session(state, setup, request))


def continuing(
    path: Path, jobs: int | None = None, on_progress: Progress | None = None, started: float | None = None
) -> Generator[SearchEvent]:
    """Go on with a search that was stopped, or join one that other processes work on.

    Args:
        path: the folder of the search.
        jobs: processes; None: as many as before.
        on_progress: called with (images decoded, number of images).
        started: the start of this session by `time.monotonic`; None: now.

    Raises:
        RunError: it is not a search, or it is complete.
        ConfigError: the data changed.
    """
    started = time.monotonic() if started is None else started
    require("tune", "tune")
    folder = SearchFolder.open(path)
    leases = Leases(folder.workers)
    with leases.held():
        state = SearchState(folder, leases, started)
        header = header_of(state.study, folder)
        if state.study.finished:
            raise RunError(f"{path}: the search is complete; see {folder.report}, or start another one")
        request = SearchRequest(**header["request"])
        if jobs is not None:
            request = SearchRequest(request.budget, request.trials, jobs, request.ranges)
        setup = restore(SearchPlan.from_json(header["plan"]), header["fingerprint"], on_progress)
        yield from _run(Session(state, setup, request))


def header_of(study: Study, folder: SearchFolder) -> Mapping[str, Any]:
    """Return the first record of a search.

    Raises:
        RunError: it was stopped before it was written.
    """
    if not study.header:
        raise RunError(f"{folder.path}: stopped before the first trial, so nothing is lost; start it again")
    return study.header


def search_seconds(request: SearchRequest) -> float | None:
    """Return the seconds of a budget until the trials end; None: not limited.

    >>> search_seconds(SearchRequest(600.0))
    357.0
    """
    return None if request.budget is None else max(0.0, (1 - 2 * SHARE) * request.budget - END_SECONDS)


def _run(session: Session) -> Generator[SearchEvent]:
    state, request, plan = session.state, session.request, session.plan
    with state.locked():  # which also removes an incomplete last line
        state.write("session", worker=state.leases.name)
    yield SearchReady(
        state.folder.path, str(plan.base.data.source), len(session.setup.prepared.dataset),
        type(session.setup.task), plan.space.parameters,
        plan.rungs, request.budget, search_seconds(request), request.trials, len(state.study.trials), state.log.removed,
    )  # fmt: skip
    with more_workers(state.folder.path, request.jobs - 1):
        yield from session.worker().run()
    if _closes(session):
        _analyse(session)
        yield from _train_in_full(session)
        yield _finish(session)


def _closes(session: Session) -> bool:
    """Wait until all trials have ended; return whether this process is the one that ends the search.

    Raises:
        ConfigError: no trial completed an epoch.
    """
    state = session.state
    while True:
        with state.locked() as study:
            if study.finished or (study.closing not in ("", state.leases.name) and state.leases.alive(study.closing)):
                return False
            if not study.running():
                best = study.best()
                if best is None:
                    raise ConfigError(
                        f"{state.folder.path}: no network completed an epoch in "
                        f"{search_seconds(session.request) or 0:.0f} s; give a larger --budget"
                    )
                winner = best.number if study.winner is None else study.winner
                state.write("closing", worker=state.leases.name, winner=winner)
                return True
        time.sleep(WAIT)


def _analyse(session: Session) -> None:
    """Compute what the trials show, and write it to the log."""
    state, space = session.state, session.plan.space
    nested = estimate_of(state.folder, [one.number for one in state.study.ranked()])
    found = [vars(one) for one in importances(state.study, space)]
    with state.locked():
        state.write("analysed", nested=vars(nested) if nested else None, importances=found)


def _train_in_full(session: Session) -> Generator[SearchEvent]:
    """Train the default recipe, then the winner, with the time that is left."""
    state, plan, budget = session.state, session.plan, session.request.budget
    number = state.study.winner
    assert number is not None  # this process wrote it
    yield TrainingStarted(DEFAULT, state.folder.default, None)
    share = None if budget is None else _left(session, budget) / 2
    yield from train_default(state, DEFAULT, default_settings(plan), share, session.setup.task.primary)
    yield TrainingStarted(WINNER, state.folder.winner, number)
    left = None if budget is None else _left(session, budget)
    trial = state.study.trials[number]
    settings = winner_settings(plan, trial.values, budget is not None)
    yield from train_winner(state, trial, settings, left, session.setup.task.primary)


def _left(session: Session, budget: float) -> float:
    """Return the seconds of a budget that are left for trainings."""
    return budget - END_SECONDS - session.state.clock()


def _finish(session: Session) -> SearchFinished:
    """Write the report and the last record."""
    state, report = session.state, None
    with suppress(MissingExtraError):  # the search is complete without a report too
        report = write_report(state.folder)
    with state.locked():
        state.write("finished")
    return SearchFinished(state.folder.path, report, state.clock())


@contextmanager
def _created(path: Path) -> Iterator[SearchFolder]:
    """Create the folder of a search; it is deleted when the body fails before the log is written."""
    folder = SearchFolder.create(path)
    try:
        yield folder
    finally:
        if not folder.log_file.exists():
            for empty in (folder.workers, folder.trials, folder.path):
                with suppress(OSError):
                    for file in folder.path.glob("*.lock"):
                        file.unlink()
                    empty.rmdir()

"""One process of a search: takes trials one after the other, trains them, and writes what they reach to the log."""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict
from typing import Any

from convscope.errors import ConvscopeError, LockedError, RunError, TrainingError
from convscope.runs.events import ProblemFound
from convscope.runs.loaders import PreparedData
from convscope.tasks import Task
from convscope.training import Epoch, Step
from convscope.tuning.events import SearchEvent
from convscope.tuning.parameter import Value
from convscope.tuning.plan import SearchPlan
from convscope.tuning.refusal import NetworkSize, TooSlowError, check_network
from convscope.tuning.sampler import Sampler
from convscope.tuning.scheduler import Job, next_job
from convscope.tuning.state import SearchState
from convscope.tuning.trial_run import TrialRunner, TrialScore

STOPS = ("identical_units", "vanishing_gradients", "loss_at_chance", "loss_rising")
"""The problems found in training that stop a trial, unless its score is among the better half."""
PROPOSALS = 60  # refused in a row, after which the search ends
FIRST_TRIAL = 1.5  # of the time of the trials, until one has completed an epoch
REDUCTIONS = 8  # of a network that would take too long
WAIT = 0.2  # seconds between two looks at the log while all trials are in other hands


class Worker:
    """Trains trials of a search until its time is over or all are done.

    Args:
        state: of the search, in this process.
        plan: of the search.
        prepared: the images of the trials.
        task: of the data.
        search_seconds: of the search until the trials end; None: not limited.
        trials: their number; None: not limited.
    """

    def __init__(
        self,
        state: SearchState,
        plan: SearchPlan,
        prepared: PreparedData,
        task: Task,
        search_seconds: float | None,
        trials: int | None,
    ) -> None:
        self.state, self.plan, self.task = state, plan, task
        self.search_seconds, self.trials = search_seconds, trials
        self.sampler = Sampler(plan.space, plan.seed)
        self.runner = TrialRunner(prepared)

    @property
    def seconds_left(self) -> float:
        """Seconds until the trials end; the first one may take time of the trainings in full, so that there is one."""
        if self.search_seconds is None:
            return float("inf")
        factor = 1.0 if self.state.study.completed() else FIRST_TRIAL
        return factor * self.search_seconds - self.state.clock()

    def run(self) -> Generator[SearchEvent]:
        """Train trials, and yield what happens, also in other processes."""
        while True:
            job, over = self._take()
            yield from self.state.news()
            if over:
                return
            if job:
                yield from self._train(job)
                yield from self.state.news()
            else:
                time.sleep(WAIT)

    def _take(self) -> tuple[Job | None, bool]:
        """Return a job, and whether there will be none any more."""
        with self.state.locked() as study:
            if study.closing or self.seconds_left <= 0:
                return None, True
            job = next_job(study, self.plan.rungs, self.seconds_left) or self._new_trial()
            if job:
                self.state.write("started", number=job.number, rung=job.rung, worker=self.state.leases.name)
            return job, job is None and not study.running()

    def _new_trial(self) -> Job | None:
        """Propose networks until one is accepted; None where there is no time, or all trials are given out."""
        study, space = self.state.study, self.plan.space
        number = len(study.trials)
        if self.trials is not None and number >= self.trials:
            return None
        for attempt in range(PROPOSALS):
            values = space.start() if number == attempt == 0 else self.sampler.propose(study, number, attempt)
            try:
                values, size = self._affordable(values)
            except ConvscopeError as error:
                self.state.write("refused", number=number, values=space.active(values), reason=str(error))
                if self.seconds_left <= 0:
                    return None
                continue
            self.state.write("trial", number=number, values=values, **asdict(size))
            return Job(number, 0)
        return None

    def _affordable(self, values: dict[str, Value]) -> tuple[dict[str, Value], NetworkSize]:
        """Return the values and the size of their network; a network that takes too long is made smaller.

        Raises:
            ConvscopeError: it is refused for another reason, or too slow at any size.
        """
        for remaining in range(REDUCTIONS, -1, -1):
            try:
                return values, check_network(self.plan, self.state.study, values, self.task, self.seconds_left)
            except TooSlowError:
                if not remaining:
                    raise
                values = self.plan.space.smaller(values)
        raise AssertionError

    def _train(self, job: Job) -> Generator[SearchEvent]:
        """Train a trial to its rung, and write the result, or why there is none."""
        started, values = time.monotonic(), self.state.study.trials[job.number].values
        path, epochs = self.state.folder.trial(job.number), self.plan.rungs.epochs[job.rung]
        try:
            self.runner.create(path, *self.plan.recipe(values, self.task))
            reason, score = yield from self._watched(job, self.runner.train(path, epochs))
        except LockedError as error:  # a process that was taken for dead still trains it
            time.sleep(WAIT)
            return self._finish(job, "released", reason=str(error))
        except (TrainingError, RunError) as error:
            reason, score = str(error), None
        if score is not None:
            seconds = round(time.monotonic() - started, 3)
            return self._finish(job, "rung", rung=job.rung, seconds=seconds, **asdict(score))
        if reason:
            return self._finish(job, "stopped", reason=reason)
        return self._finish(job, "released", reason="the time of the search was over")

    def _watched(
        self, job: Job, training: Generator[Any, None, TrialScore]
    ) -> Generator[SearchEvent, None, tuple[str, TrialScore | None]]:
        """Train while there is time and nothing is wrong; return why the trial stops, and its score."""
        last = 0.0
        with closing(training):
            while True:
                try:
                    event = next(training)
                except StopIteration as end:
                    return "", end.value
                if isinstance(event, Epoch):
                    last = event.validation[self.task.primary]
                elif isinstance(event, ProblemFound) and event.kind in STOPS and not self._among_better(job, last):
                    return event.text, None
                elif isinstance(event, Step) and self.seconds_left <= 0:
                    return "", None
                yield event

    def _among_better(self, job: Job, score: float) -> bool:
        """Whether a score is at least the median of the trials that reached the rung."""
        scores = sorted(result.score for result in self.state.study.results(job.rung).values())
        return bool(scores) and score >= scores[len(scores) // 2]

    def _finish(self, job: Job, event: str, **fields: Any) -> None:
        """Write what became of a trial, unless another process has taken it up in the meantime."""
        with self.state.locked() as study:
            if study.trials[job.number].running == (job.rung, self.state.leases.name):
                self.state.write(event, number=job.number, worker=self.state.leases.name, **fields)

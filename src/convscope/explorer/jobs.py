"""Heavy computations: one at a time, a few may wait, each tells how far it is and can be called off."""

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any

from convscope.analysis.method import Method, MethodSettings
from convscope.api.explain import AnalysisResult
from convscope.errors import ConvscopeError
from convscope.explorer.backend import (
    BusyError,
    JobContext,
    NotFoundError,
    compute,
    job_method,
    load_cached,
    page_data,
    tiles,
)

WAITING = 8  # jobs that may wait
REMEMBERED = 50
REPORT_INTERVAL = 0.2  # seconds
log = logging.getLogger("convscope.explorer")


class JobCancelledError(Exception):
    """Raised in a computation that was cancelled."""


@dataclass(eq=False)
class Job:
    """A computation that was asked for, and how it fares."""

    number: int
    method: Method
    settings: MethodSettings
    context: JobContext | None
    """Until it is over: it holds a network."""
    state: str = "queued"
    done: int = 0
    of: int | None = None
    error: str | None = None
    kept: bool = False
    result: AnalysisResult | None = None
    started: float | None = None
    seconds: float = 0.0
    cancelled: Event = field(default_factory=Event)

    def pictures(self) -> dict[str, Path]:
        """The result's pictures and animations by their names."""
        shown = [path for path in self.result.pictures if path.suffix in (".png", ".gif")] if self.result else []
        return {path.stem if path.suffix == ".png" else path.name: path for path in shown}

    def tiles(self) -> dict[str, Path]:
        """The result's single pictures by their names."""
        return tiles(self.result) if self.result else {}

    def files(self) -> dict[str, Path]:
        """All pictures by the names of their files."""
        named = [(path.name, path) for path in self.pictures().values()]
        return dict(named + [(f"tile-{path.name}", path) for path in self.tiles().values()])


class Jobs:
    """The queue and its one worker.

    Args:
        make_context: makes what a computation works on.
        publish: is told of every change.
        describe: replaces the names of images in a result's data by what a page wants to know of them.
    """

    def __init__(
        self,
        make_context: Callable[[], JobContext],
        publish: Callable[[dict[str, Any]], None],
        describe: Callable[[Any], Any],
    ) -> None:
        self._make_context, self._publish, self._describe = make_context, publish, describe
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._changed = Condition()
        self._ended = False
        self._number = 0
        self._worker = Thread(target=self._work, name="convscope-jobs", daemon=True)
        self._worker.start()

    def submit(self, method: str, settings: dict[str, Any]) -> Job:
        """Queue a computation; one that the run has kept already is done at once.

        Raises:
            BusyError: too many wait.
            ConfigError: no such computation, or settings that do not fit.
        """
        chosen = job_method(method)
        parsed = chosen.parse(settings)
        context = self._make_context()
        found = load_cached(context.run.folder.explain_dir / "explorer", chosen, parsed, context.loaded_model.version)
        with self._changed:
            if found is None and len(self._waiting) >= WAITING:
                raise BusyError(f"computations: {WAITING} wait already; cancel one or wait")
            self._number += 1
            job = Job(self._number, chosen, parsed, context)
            if found is not None:
                job.state, job.kept, job.result, job.context = "done", True, found, None
            else:
                self._waiting.append(job)
                self._changed.notify()
            self._remember(job)
        self._publish(self.record(job, result=False))
        return job

    def get(self, number: int) -> Job:
        """A computation by its number.

        Raises:
            UnknownError: there is none, or it was long ago.
        """
        if number not in self._jobs:
            raise NotFoundError(f"job {number}: there is none; it may be long ago, so ask again")
        return self._jobs[number]

    def all(self) -> list[Job]:
        """The last ones, newest first."""
        return list(reversed(self._jobs.values()))

    def cancel(self, number: int) -> Job:
        """Call a computation off; one that is over stays as it is."""
        job = self.get(number)
        with self._changed:
            job.cancelled.set()
            if job in self._waiting:
                self._waiting.remove(job)
                job.state, job.context = "cancelled", None
        self._publish(self.record(job, result=False))
        return job

    def shut_down(self) -> None:
        """Call off what runs and what waits, and end the worker."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            for job in self._jobs.values():
                job.cancelled.set()
            self._changed.notify()
        self._worker.join(timeout=5)

    def record(self, job: Job, result: bool = True) -> dict[str, Any]:
        """A job as `docs/reference/explorer-api.md` describes it."""
        seconds = time.monotonic() - job.started if job.state == "running" and job.started else job.seconds
        waiting = list(self._waiting)
        before = waiting.index(job) if job in waiting else 0
        plain: dict[str, Any] = {
            "id": job.number, "method": job.method.name, "settings": job.settings.model_dump(mode="json"),
            "state": job.state, "done": job.done, "of": job.of, "waiting": before, "seconds": round(seconds, 2),
            "error": job.error, "kept": job.kept,
        }  # fmt: skip
        if result:
            plain["result"] = None if job.result is None else self._result(job, job.result)
        return plain

    def _result(self, job: Job, result: AnalysisResult) -> dict[str, Any]:
        home = f"/api/jobs/{job.number}/pictures"
        try:
            data = self._describe(page_data(result))
        except OSError:
            raise NotFoundError(f"job {job.number}: its result was deleted; ask again") from None
        return {
            "summary": list(result.summary), "data": data,
            "pictures": {name: f"{home}/{path.name}" for name, path in job.pictures().items()},
            "tiles": {name: f"{home}/tile-{path.name}" for name, path in job.tiles().items()},
        }  # fmt: skip

    def _remember(self, job: Job) -> None:
        self._jobs[job.number] = job
        for number in list(self._jobs)[:-REMEMBERED]:
            if self._jobs[number].state not in ("queued", "running"):
                del self._jobs[number]

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                job = self._waiting.popleft()
                job.state, job.started = "running", time.monotonic()
            self._publish(self.record(job, result=False))
            self._run(job)
            self._publish(self.record(job, result=False))

    def _run(self, job: Job) -> None:
        last_report = 0.0

        def report(done: int, of: int | None) -> None:
            nonlocal last_report
            if job.cancelled.is_set():
                raise JobCancelledError
            job.done, job.of = done, of
            if time.monotonic() - last_report > REPORT_INTERVAL:
                last_report = time.monotonic()
                self._publish(self.record(job, result=False))

        try:
            report(0, None)
            assert job.context is not None  # it is let go below
            job.result = compute(job.context, job.method, job.settings, report)
            job.state = "done"
        except JobCancelledError:
            job.state = "cancelled"
        except ConvscopeError as error:
            job.state, job.error = "failed", str(error)
        except Exception as error:
            log.exception("job %s: %s", job.number, job.method.name)
            job.state, job.error = "failed", f"{type(error).__name__}: a fault in convscope; the terminal says more"
        job.seconds = time.monotonic() - (job.started or 0.0)
        job.context = None

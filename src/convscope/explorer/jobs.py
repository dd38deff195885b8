"""Queue of jobs: one runs at a time, a few wait; each reports its progress and can be cancelled."""

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

MAX_WAITING = 8  # jobs
MAX_JOBS = 50
REPORT_INTERVAL = 0.2  # seconds
log = logging.getLogger("convscope.explorer")


class JobCancelledError(Exception):
    """Raised in a computation that was cancelled."""


@dataclass(eq=False)
class Job:
    """A requested computation and its state."""

    number: int
    method: Method
    settings: MethodSettings
    context: JobContext | None
    """Released when the job ends: it holds a network."""
    state: str = "queued"
    done: int = 0
    of: int | None = None
    error: str | None = None
    cached: bool = False
    result: AnalysisResult | None = None
    started: float | None = None
    seconds: float = 0.0
    cancelled: Event = field(default_factory=Event)

    def pictures(self) -> dict[str, Path]:
        """Return the result's pictures and animations by name."""
        shown = [path for path in self.result.pictures if path.suffix in (".png", ".gif")] if self.result else []
        return {path.stem if path.suffix == ".png" else path.name: path for path in shown}

    def tiles(self) -> dict[str, Path]:
        """Return the result's tiles by name."""
        return tiles(self.result) if self.result else {}

    def files(self) -> dict[str, Path]:
        """Return all pictures and tiles by file name."""
        named = [(path.name, path) for path in self.pictures().values()]
        return dict(named + [(f"tile-{path.name}", path) for path in self.tiles().values()])


class Jobs:
    """The job queue and its single worker thread.

    Args:
        make_context: returns the context of a new job.
        publish: called with the record of a job on every change.
        describe: replaces image names in a result's data by image records.
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
        self._stopped = False
        self._number = 0
        self._worker = Thread(target=self._work, name="convscope-jobs", daemon=True)
        self._worker.start()

    def submit(self, method: str, settings: dict[str, Any]) -> Job:
        """Queue a job; a cached result is returned immediately.

        Raises:
            BusyError: the queue is full.
            ConfigError: no such method, or invalid settings.
        """
        chosen = job_method(method)
        parsed = chosen.parse(settings)
        context = self._make_context()
        found = load_cached(context.run.folder.explain_dir / "explorer", chosen, parsed, context.loaded_model.version)
        with self._changed:
            if found is None and len(self._waiting) >= MAX_WAITING:
                raise BusyError(f"computations: {MAX_WAITING} are waiting already; cancel one or wait")
            self._number += 1
            job = Job(self._number, chosen, parsed, context)
            if found is not None:
                job.state, job.cached, job.result, job.context = "done", True, found, None
            else:
                self._waiting.append(job)
                self._changed.notify()
            self._remember(job)
        self._publish(self.record(job, result=False))
        return job

    def get(self, number: int) -> Job:
        """Return a job by its number.

        Raises:
            NotFoundError: no such job, or it is no longer listed.
        """
        if number not in self._jobs:
            raise NotFoundError(f"job {number}: no such job, or no longer listed; submit it again")
        return self._jobs[number]

    def all(self) -> list[Job]:
        """Return the last `MAX_JOBS` jobs, newest first."""
        return list(reversed(self._jobs.values()))

    def cancel(self, number: int) -> Job:
        """Cancel a job; a finished one does not change."""
        job = self.get(number)
        with self._changed:
            job.cancelled.set()
            if job in self._waiting:
                self._waiting.remove(job)
                job.state, job.context = "cancelled", None
        self._publish(self.record(job, result=False))
        return job

    def shut_down(self) -> None:
        """Cancel all jobs and stop the worker."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            for job in self._jobs.values():
                job.cancelled.set()
            self._changed.notify()
        self._worker.join(timeout=5)

    def record(self, job: Job, result: bool = True) -> dict[str, Any]:
        """Return a job as `docs/reference/explorer-api.md` describes it."""
        seconds = time.monotonic() - job.started if job.state == "running" and job.started else job.seconds
        waiting = list(self._waiting)
        ahead = waiting.index(job) if job in waiting else 0
        record: dict[str, Any] = {
            "id": job.number, "method": job.method.name, "settings": job.settings.model_dump(mode="json"),
            "state": job.state, "done": job.done, "of": job.of, "waiting": ahead, "seconds": round(seconds, 2),
            "error": job.error, "cached": job.cached,
        }  # fmt: skip
        if result:
            record["result"] = None if job.result is None else self._result(job, job.result)
        return record

    def _result(self, job: Job, result: AnalysisResult) -> dict[str, Any]:
        base = f"/api/jobs/{job.number}/pictures"
        try:
            data = self._describe(page_data(result))
        except OSError:
            raise NotFoundError(f"job {job.number}: its result was deleted; submit it again") from None
        return {
            "summary": list(result.summary), "data": data,
            "pictures": {name: f"{base}/{path.name}" for name, path in job.pictures().items()},
            "tiles": {name: f"{base}/tile-{path.name}" for name, path in job.tiles().items()},
        }  # fmt: skip

    def _remember(self, job: Job) -> None:
        self._jobs[job.number] = job
        for number in list(self._jobs)[:-MAX_JOBS]:
            if self._jobs[number].state not in ("queued", "running"):
                del self._jobs[number]

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopped:
                    self._changed.wait()
                if self._stopped:
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
            assert job.context is not None  # released below
            job.result = compute(job.context, job.method, job.settings, report)
            job.state = "done"
        except JobCancelledError:
            job.state = "cancelled"
        except ConvscopeError as error:
            job.state, job.error = "failed", str(error)
        except Exception as error:
            log.exception("job %s: %s", job.number, job.method.name)
            job.state, job.error = (
                "failed",
                f"{type(error).__name__}: internal error; see the terminal for the traceback",
            )
        job.seconds = time.monotonic() - (job.started or 0.0)
        job.context = None

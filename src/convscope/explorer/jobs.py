"""Heavy computations: one at a time, a few may wait, each tells how far it is and can be called off."""

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any

from convscope.api.explain import Seen
from convscope.errors import ConvscopeError
from convscope.explorer.backend import BusyError, Sight, UnknownError, asked, computed, kept

WAITING = 8  # jobs that may wait
REMEMBERED = 50
TOLD_EVERY = 0.2  # seconds
INSIDE = ("method", "settings", "says", "pictures")  # of a result's file, which are given beside its numbers
log = logging.getLogger("convscope.explorer")


class CalledOffError(Exception):
    """Raised in a computation that was cancelled."""


@dataclass(eq=False)
class Job:
    """A computation that was asked for, and how it fares."""

    number: int
    method: str
    ask: Any
    sight: Sight | None
    """Until it is over: it holds a network."""
    state: str = "queued"
    done: int = 0
    of: int | None = None
    error: str | None = None
    kept: bool = False
    seen: Seen | None = None
    began: float | None = None
    seconds: float = 0.0
    off: Event = field(default_factory=Event)

    def pictures(self) -> dict[str, Path]:
        """The result's pictures by their names."""
        return {path.stem: path for path in self.seen.pictures} if self.seen else {}


class Jobs:
    """The queue and its one worker.

    Args:
        sight: makes what a computation works on.
        tell: is told of every change.
    """

    def __init__(self, sight: Callable[[], Sight], tell: Callable[[dict[str, Any]], None]) -> None:
        self._sight, self._tell = sight, tell
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._changed = Condition()
        self._ended = False
        self._number = 0
        self._worker = Thread(target=self._work, name="convscope-jobs", daemon=True)
        self._worker.start()

    def ask(self, method: str, settings: dict[str, Any]) -> Job:
        """Queue a computation; one that the run has kept already is done at once.

        Raises:
            BusyError: too many wait.
            ConfigError: no such computation, or settings that do not fit.
        """
        ask = asked(method, settings)
        sight = self._sight()
        found = kept(sight.seen.folder.seen / "explorer", method, ask, sight.shown.version)
        with self._changed:
            if found is None and len(self._waiting) >= WAITING:
                raise BusyError(f"computations: {WAITING} wait already; cancel one or wait")
            self._number += 1
            job = Job(self._number, method, ask, sight)
            if found is not None:
                job.state, job.kept, job.seen, job.sight = "done", True, found, None
            else:
                self._waiting.append(job)
                self._changed.notify()
            self._remember(job)
        self._tell(self.record(job, result=False))
        return job

    def one(self, number: int) -> Job:
        """A computation by its number.

        Raises:
            UnknownError: there is none, or it was long ago.
        """
        if number not in self._jobs:
            raise UnknownError(f"job {number}: there is none; it may be long ago, so ask again")
        return self._jobs[number]

    def all(self) -> list[Job]:
        """The last ones, newest first."""
        return list(reversed(self._jobs.values()))

    def cancel(self, number: int) -> Job:
        """Call a computation off; one that is over stays as it is."""
        job = self.one(number)
        with self._changed:
            job.off.set()
            if job in self._waiting:
                self._waiting.remove(job)
                job.state, job.sight = "cancelled", None
        self._tell(self.record(job, result=False))
        return job

    def end(self) -> None:
        """Call off what runs and what waits, and end the worker."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            for job in self._jobs.values():
                job.off.set()
            self._changed.notify()
        self._worker.join(timeout=5)

    def record(self, job: Job, result: bool = True) -> dict[str, Any]:
        """A job as `docs/explorer-api.md` describes it."""
        seconds = time.monotonic() - job.began if job.state == "running" and job.began else job.seconds
        waiting = list(self._waiting)
        before = waiting.index(job) if job in waiting else 0
        plain: dict[str, Any] = {
            "id": job.number, "method": job.method, "settings": job.ask.model_dump(mode="json", by_alias=True),
            "state": job.state, "done": job.done, "of": job.of, "waiting": before, "seconds": round(seconds, 2),
            "error": job.error, "kept": job.kept,
        }  # fmt: skip
        if result:
            plain["result"] = None if job.seen is None else _result(job, job.seen)
        return plain

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
                job.state, job.began = "running", time.monotonic()
            self._tell(self.record(job, result=False))
            self._run(job)
            self._tell(self.record(job, result=False))

    def _run(self, job: Job) -> None:
        told = 0.0

        def report(done: int, of: int | None) -> None:
            nonlocal told
            if job.off.is_set():
                raise CalledOffError
            job.done, job.of = done, of
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                self._tell(self.record(job, result=False))

        try:
            report(0, None)
            assert job.sight is not None  # it is let go below
            job.seen = computed(job.sight, job.method, job.ask, report)
            job.state = "done"
        except CalledOffError:
            job.state = "cancelled"
        except ConvscopeError as error:
            job.state, job.error = "failed", str(error)
        except Exception as error:
            log.exception("job %s: %s", job.number, job.method)
            job.state, job.error = "failed", f"{type(error).__name__}: a fault in convscope; the terminal says more"
        job.seconds = time.monotonic() - (job.began or 0.0)
        job.sight = None


def _result(job: Job, seen: Seen) -> dict[str, Any]:
    numbers = {name: value for name, value in seen.numbers.items() if name not in INSIDE}
    pictures = {name: f"/api/jobs/{job.number}/pictures/{name}.png" for name in job.pictures()}
    return {"says": list(seen.says), "numbers": numbers, "pictures": pictures}

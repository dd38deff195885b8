"""Everything that the pages of one server share: the run, its images, the inputs, the computations, the listeners."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from convscope.errors import ConvscopeError
from convscope.explorer.backend import (
    ImageSets,
    Inputs,
    JobContext,
    LabelCorrections,
    LiveRun,
    ProbeHistory,
    epoch_record,
    with_records,
)
from convscope.explorer.broadcast import Broadcaster
from convscope.explorer.jobs import Jobs

POLL_SECONDS = 0.5  # seconds between looks at the run's folder


class Session:
    """A run that is explored.

    Args:
        run: the run.
    """

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.broadcaster = Broadcaster()
        self.corrections = LabelCorrections(run.folder)
        self.image_sets = ImageSets(run, self.corrections)
        self.inputs = Inputs(run, self.image_sets)
        self.epochs = ProbeHistory(run, self.image_sets)
        self.jobs = Jobs(
            self.context,
            lambda record: self.broadcaster.publish("job", record),
            lambda data: with_records(data, self.image_sets),
        )

    @classmethod
    def open(cls, run: Path) -> "Session":
        """A session of a run's folder.

        Raises:
            RunError: it is no run.
        """
        return cls(LiveRun(run))

    def context(self) -> JobContext:
        """What a computation works on just now."""
        return JobContext(self.run, self.run.loaded_model(), self.image_sets, self.inputs)

    def status(self) -> dict[str, Any]:
        """What may change while the page is open."""
        return {"state": self.run.state(), "network": self.run.version(), "trouble": self.run.trouble()}

    def preload(self) -> None:
        """Open the network before a page asks for it, and read images meanwhile; what fails is said when asked."""
        with suppress(ConvscopeError):
            self.run.loaded_model()
            Thread(target=self._first_prediction, name="convscope-warm", daemon=True).start()

    def _first_prediction(self) -> None:
        with suppress(ConvscopeError):
            if len(self.run.images("validation")):
                self.inputs.predict("validation-0")

    def close(self) -> None:
        """Let go of everything."""
        self.jobs.shut_down()
        self.broadcaster.close()

    async def follow(self) -> None:
        """Tell the listeners of new epochs and of a run that changes, until cancelled."""
        events, before = JsonLinesTail(self.run.folder.events_file), await asyncio.to_thread(self.status)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for event in await asyncio.to_thread(events.read_new):
                if event.get("event") == "epoch":
                    self.broadcaster.publish("epoch", epoch_record(event))
            with suppress(ConvscopeError, OSError):
                now = await asyncio.to_thread(self.status)
                if now != before:
                    self.broadcaster.publish("run", now)
                before = now


class JsonLinesTail:
    """What is added to a file of JSON lines from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = file.stat().st_size if file.exists() else 0

    def read_new(self) -> list[dict[str, Any]]:
        """The objects of lines that were finished since the last look; after the file was cut, from its new end."""
        try:
            size = self._file.stat().st_size
            if size <= self._read:
                self._read = size
                return []
            with self._file.open("rb") as lines:
                lines.seek(self._read)
                content = lines.read(size - self._read)
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        found = []
        for line in whole.splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

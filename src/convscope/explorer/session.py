"""Everything that the pages of one server share: the run, its images, the inputs, the computations, the listeners."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from convscope.errors import ConvscopeError
from convscope.explorer.backend import Epochs, Exploration, Inputs, Marks, Sets, Sight, epoch_record
from convscope.explorer.broadcast import Hub
from convscope.explorer.jobs import Jobs

LOOK = 0.5  # seconds between looks at the run's folder


class Session:
    """A run that is explored.

    Args:
        seen: the run.
    """

    def __init__(self, seen: Exploration) -> None:
        self.seen = seen
        self.hub = Hub()
        self.marks = Marks(seen.folder)
        self.sets = Sets(seen, self.marks)
        self.inputs = Inputs(seen, self.sets)
        self.epochs = Epochs(seen, self.sets)
        self.jobs = Jobs(self.sight, lambda record: self.hub.tell("job", record))

    @classmethod
    def of(cls, run: Path) -> "Session":
        """A session of a run's folder.

        Raises:
            RunError: it is no run.
        """
        return cls(Exploration(run))

    def sight(self) -> Sight:
        """What a computation works on just now."""
        return Sight(self.seen, self.seen.shown(), self.sets, self.inputs)

    def news(self) -> dict[str, Any]:
        """What may change while the page is open."""
        return {"state": self.seen.state(), "network": self.seen.version(), "trouble": self.seen.trouble()}

    def warm(self) -> None:
        """Open the network before a page asks for it, and read images meanwhile; what fails is said when asked."""
        with suppress(ConvscopeError):
            self.seen.shown()
            Thread(target=self._look_once, name="convscope-warm", daemon=True).start()

    def _look_once(self) -> None:
        with suppress(ConvscopeError):
            if len(self.seen.images("validation")):
                self.inputs.answer("validation-0")

    def end(self) -> None:
        """Let go of everything."""
        self.jobs.end()
        self.hub.close()

    async def follow(self) -> None:
        """Tell the listeners of new epochs and of a run that changes, until cancelled."""
        events, before = Lines(self.seen.folder.events_file), await asyncio.to_thread(self.news)
        while True:
            await asyncio.sleep(LOOK)
            for event in await asyncio.to_thread(events.new):
                if event.get("event") == "epoch":
                    self.hub.tell("epoch", epoch_record(event))
            with suppress(ConvscopeError, OSError):
                now = await asyncio.to_thread(self.news)
                if now != before:
                    self.hub.tell("run", now)
                before = now


class Lines:
    """What is added to a file of JSON lines from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = file.stat().st_size if file.exists() else 0

    def new(self) -> list[dict[str, Any]]:
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

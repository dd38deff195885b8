"""State shared by all pages of one server: the run, its images, inputs, jobs and event subscribers."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from convscope.errors import ConvscopeError
from convscope.explorer.backend import (
    Answers,
    Experiments,
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
from convscope.runs.pixel_settings import images_only

POLL_SECONDS = 0.5  # between checks of the run folder


class Session:
    """One explored run.

    Args:
        run: the run.
    """

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.broadcaster = Broadcaster()
        self.corrections = LabelCorrections(run.folder)
        self.image_sets = ImageSets(run, self.corrections)
        self.inputs = Inputs(run, self.image_sets)
        self.answers = Answers(run, self.inputs)
        self.experiments = Experiments(run, self.inputs)
        self.epochs = ProbeHistory(run, self.image_sets)
        self.jobs = Jobs(
            self.context,
            lambda record: self.broadcaster.publish("job", record),
            lambda data: with_records(data, self.image_sets),
        )

    @classmethod
    def open(cls, run: Path) -> "Session":
        """Open a session for a run folder.

        Raises:
            RunError: not a run folder.
            ConfigError: a run on another kind of input than images.
        """
        live = LiveRun(run)
        if live.folder.data_file.exists():
            images_only(live.folder.data()["preprocessing"]["kind"], "the explorer", run)
        return cls(live)

    def context(self) -> JobContext:
        """Return the context of a job that starts now."""
        return JobContext(self.run, self.run.loaded_model(), self.image_sets, self.inputs)

    def status(self) -> dict[str, Any]:
        """Return what may change while the page is open."""
        return {"state": self.run.state(), "network": self.run.version(), "problem": self.run.problem()}

    def preload(self) -> None:
        """Load the network and read images before the first request; errors are reported on request."""
        with suppress(ConvscopeError):
            self.run.loaded_model()
            Thread(target=self._first_prediction, name="convscope-preload", daemon=True).start()

    def _first_prediction(self) -> None:
        with suppress(ConvscopeError):
            if len(self.run.images("validation")):
                self.inputs.predict("validation-0")

    def close(self) -> None:
        """Stop the jobs and end the event streams."""
        self.jobs.shut_down()
        self.broadcaster.close()

    async def follow(self) -> None:
        """Publish new epochs and changes of the run until cancelled."""
        events, previous = JsonLinesTail(self.run.folder.events_file), await asyncio.to_thread(self.status)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for event in await asyncio.to_thread(events.read_new):
                if event.get("event") == "epoch":
                    self.broadcaster.publish("epoch", epoch_record(event))
            with suppress(ConvscopeError, OSError):
                status = await asyncio.to_thread(self.status)
                if status != previous:
                    self.broadcaster.publish("run", status)
                previous = status


class JsonLinesTail:
    """The objects that are appended to a JSON Lines file from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = file.stat().st_size if file.exists() else 0

    def read_new(self) -> list[dict[str, Any]]:
        """Return the objects of lines completed since the last call; after a truncation, from the new end."""
        try:
            size = self._file.stat().st_size
            if size <= self._offset:
                self._offset = size
                return []
            with self._file.open("rb") as lines:
                lines.seek(self._offset)
                content = lines.read(size - self._offset)
        except OSError:
            return []
        complete = content[: content.rfind(b"\n") + 1]
        self._offset += len(complete)
        objects = []
        for line in complete.splitlines():
            with suppress(ValueError):
                objects.append(json.loads(line))
        return objects

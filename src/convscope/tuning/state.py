"""The shared state of a search in one process: its log, the study rebuilt from it, the clock and the leases."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convscope.tuning.events import SearchEvent
from convscope.tuning.folder import SearchFolder
from convscope.tuning.leases import Leases
from convscope.tuning.log import Record
from convscope.tuning.news import event_of
from convscope.tuning.search_clock import SearchClock
from convscope.tuning.study import Study


class SearchState:
    """What a process knows of a search.

    Args:
        folder: of the search, with its log.
        leases: of this process.
        started: the start of this session by `time.monotonic`; None: now.
    """

    def __init__(self, folder: SearchFolder, leases: Leases, started: float | None = None) -> None:
        self.folder, self.leases = folder, leases
        self.log, self.study = folder.log(), Study()
        self._unread: list[Record] = []
        self.study.add(self.log.refresh())
        self.clock = SearchClock(self.study, self.others_work(), started)

    def write(self, event: str, **fields: Any) -> None:
        """Append an event to the log, which this process has locked."""
        self.log.append({"event": event, **fields, "clock": round(self.clock(), 3), "at": round(time.time(), 3)})
        self._read(self.log.records[-1:])

    @contextmanager
    def locked(self) -> Iterator[Study]:
        """Lock the log, read what other processes wrote, and give back the trials of those that are gone."""
        with self.log.locked() as records:
            self._read(records)
            for one in self.study.running():
                if not self._in_good_hands(one.running):
                    self.write("released", number=one.number, reason="its process ended")
            yield self.study

    def others_work(self) -> bool:
        """Whether another process trains a trial."""
        holders = {one.running for one in self.study.running()}
        return any(holder and holder[1] != self.leases.name and self._in_good_hands(holder) for holder in holders)

    def news(self) -> list[SearchEvent]:
        """Return what happened since the last call, also in other processes."""
        records, self._unread = self._unread, []
        return [event for record in records if (event := event_of(record, self.study))]

    def _read(self, records: list[Record]) -> None:
        self.study.add(records)
        self._unread += records

    def _in_good_hands(self, holder: tuple[int, str] | None) -> bool:
        return holder is not None and self.leases.alive(holder[1])

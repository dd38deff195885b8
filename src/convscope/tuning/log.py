"""The log of a search: one line per event, synced to disk; from it the whole state is rebuilt.

Several processes append to one log. Each holds the lock while it reads what is new, decides and writes,
so no trial is given out twice. A process killed in the middle of a write leaves an incomplete last line, which the next
one removes.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from convscope.errors import RunError
from convscope.files import to_plain

Record = dict[str, Any]


class SearchLog:
    """The events of a search in a file.

    Attributes:
        path: the file.
        records: the events read so far, oldest first.
        removed: the number of bytes of incomplete lines that were removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[Record] = []
        self.removed = 0
        self._read = 0  # bytes
        self._lock = FileLock(f"{path}.lock")

    @contextmanager
    def locked(self) -> Iterator[list[Record]]:
        """Lock the log for one decision; yield the events since the last reading, its own included."""
        with self._lock:
            yield self.refresh(repair=True)

    def refresh(self, repair: bool = False) -> list[Record]:
        """Read and return the new events; with `repair`, an incomplete last line is removed from the file.

        Raises:
            RunError: a line other than the last one is damaged.
        """
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        complete = content[: content.rfind(b"\n") + 1]
        lines = complete.split(b"\n")[:-1]
        new = [self._parse(line, number, number == len(lines) - 1) for number, line in enumerate(lines)]
        if new and new[-1] is None:  # a torn write whose end was overwritten, as some file systems leave it
            complete = complete[: len(complete) - len(lines[-1]) - 1]
            new.pop()
        if repair and len(complete) < len(content):
            self.removed += len(content) - len(complete)
            with self.path.open("rb+") as file:
                file.truncate(self._read + len(complete))
                os.fsync(file.fileno())
        self._read += len(complete)
        found = [record for record in new if record is not None]
        self.records += found
        return found

    def append(self, record: Record) -> None:
        """Write an event, synced to disk. Call it while the log is locked.

        Raises:
            RunError: it cannot be written, for example because the disk is full.
        """
        line = json.dumps(to_plain(record)).encode() + b"\n"
        try:
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be written ({error.strerror}); free some space, then continue the search"
            ) from error
        self._read += len(line)
        self.records.append(json.loads(line))

    def _parse(self, line: bytes, number: int, last: bool) -> Record | None:
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError
        except ValueError:
            if last:
                return None
            place = len(self.records) + number + 1
            raise RunError(f"{self.path} line {place}: damaged, so the search cannot go on; start a new one") from None
        return record

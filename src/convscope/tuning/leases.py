"""Leases: a trial belongs to the process that trains it, for as long as that process shows that it lives.

Each process touches a file of its own every few seconds. A trial whose process is gone is taken up by another one, from
its last checkpoint. Ages are differences between times of the same file system, so clocks of machines need not agree.
"""

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from convscope.files import is_running

TOUCHED = 5.0  # seconds between two touches
EXPIRED = 60.0  # seconds without a touch after which a process counts as gone


class Leases:
    """The processes that work on a search.

    Args:
        folder: in which each has a file.
        name: of this process; by default a new one, of its machine and number.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        self.folder = folder
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._end = threading.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep this process's file fresh inside the context, and delete it afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(self.name).touch()
        thread = threading.Thread(target=self._keep_touching, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()
            with suppress(OSError):
                self._file(self.name).unlink()

    def alive(self, name: str) -> bool:
        """Whether a process still works; at once false where it ran on this machine and ended."""
        if name == self.name:
            return True
        host, process, _ = name.rsplit(":", 2)
        if host == socket.gethostname() and not is_running(int(process)):
            return False
        try:
            touched = self._file(name).stat().st_mtime
        except OSError:
            return False
        return self._now() - touched < EXPIRED

    def _now(self) -> float:
        """Return the time by the clock of the file system."""
        own = self._file(self.name)
        own.touch()
        return own.stat().st_mtime

    def _file(self, name: str) -> Path:
        return self.folder / name.replace(":", "-")

    def _keep_touching(self) -> None:
        while not self._end.wait(TOUCHED):
            with suppress(OSError):
                self._file(self.name).touch()

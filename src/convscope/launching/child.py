"""The side of a started process: it calls the function that its parent sends, and shows that it is alive.

It imports little, so that it answers at once: the function's modules are imported when it is read.
"""

import os
import pickle
import queue
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

BEAT = 1.0  # seconds between two signs of life
ALIVE = None  # the message that is one


@dataclass(frozen=True)
class Finished:
    """The function returned."""


@dataclass(frozen=True)
class Failed:
    """The function raised an error: itself if it can be sent, and its traceback as text."""

    error: BaseException | None
    trace: str


class Parent:
    """What a process has of its parent: messages to and from it. The process ends when its parent is gone."""

    def __init__(self, connection: Connection) -> None:
        """Start to show that this process is alive, and to read what the parent sends."""
        self._connection = connection
        self._writing = threading.Lock()
        self._received: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def send(self, message: object) -> None:
        """Send a message."""
        content = pickle.dumps(message)
        with self._writing:
            self._connection.send_bytes(content)

    def receive(self) -> Any:
        """Return the next message, when there is one."""
        return pickle.loads(self._received.get())

    def _read(self) -> None:
        try:
            while True:
                self._received.put(self._connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(1)

    def _beat(self) -> None:
        pause = threading.Event()
        try:
            while not pause.wait(BEAT):
                self.send(ALIVE)
        except OSError:
            os._exit(1)


def main() -> None:
    """Call the function that arrives through the file descriptor in the arguments, as ``function(parent, *rest)``."""
    parent = Parent(Connection(int(sys.argv[1])))
    try:
        function, rest = parent.receive()
        function(parent, *rest)
        parent.send(Finished())
    except BaseException as error:
        parent.send(_failed(error))
        sys.exit(1)


def _failed(error: BaseException) -> Failed:
    trace = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an error whose class needs more than its text
        return Failed(None, trace)
    return Failed(error, trace)

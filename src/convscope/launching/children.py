"""The side of the parent: it starts processes, watches them by their numbers, and ends them all."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any, Self

from convscope.errors import ConvscopeError
from convscope.launching.child import ALIVE, Failed, Finished

SILENCE = 30.0  # seconds without a sign of life after which a process counts as stopped
PAUSE = 1.0  # seconds between two looks at processes that send nothing
LAST_WORDS = 1.0  # seconds to wait for what the others report when one has ended, which may be the cause
START = "from convscope.launching.child import main; main()"


@dataclass(frozen=True)
class Ended:
    """A process has ended without finishing, and why."""

    number: int
    reason: str
    error: ConvscopeError | None = None
    """The error to show to the user, if it is one of ours."""
    is_cause: bool = True
    """Whether it ended by itself, rather than because another process had."""


class Child:
    """A process that calls a function; see `convscope.launching.child`."""

    def __init__(
        self, number: int, function: Callable[..., None], arguments: tuple[Any, ...], environment: Mapping[str, str]
    ) -> None:
        """Start the process; it has this process's environment and path of modules, changed by `environment`."""
        self.number = number
        self.connection, there = Pipe()
        paths = os.pathsep.join(filter(None, sys.path))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, str(there.fileno())],
            pass_fds=[there.fileno()],
            env={**os.environ, "PYTHONPATH": paths, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # so that Ctrl-C reaches the parent only, which ends them all
        )
        there.close()
        self.heard = time.monotonic()
        self.finished = False
        self.failed: Failed | None = None
        self.send((function, arguments))

    def send(self, message: object) -> None:
        """Send a message; one to a process that has ended is lost."""
        with suppress(OSError):
            self.connection.send_bytes(pickle.dumps(message))

    def read(self) -> list[Any]:
        """Return the messages that have arrived; signs of life are counted only."""
        messages = []
        try:
            while self.connection.poll():
                message = pickle.loads(self.connection.recv_bytes())
                self.heard = time.monotonic()
                if isinstance(message, Finished):
                    self.finished = True
                elif isinstance(message, Failed):
                    self.failed = message
                elif message is not ALIVE:
                    messages.append(message)
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(SILENCE)
        return messages

    def ended(self, silence: float) -> Ended | None:
        """Return why the process has ended without finishing; None if it runs or has finished."""
        if self.finished:
            return None
        name, code = f"process {self.number}", self.process.poll()
        if self.failed is not None:
            last = self.failed.trace.strip().splitlines()[-1]
            ours = self.failed.error if isinstance(self.failed.error, ConvscopeError) else None
            return Ended(self.number, f"{name} failed with {last}", ours, is_cause=ours is not None)
        if code is not None and code < 0:
            return Ended(self.number, f"{name} was ended by {signal.Signals(-code).name}")
        if code is not None:
            return Ended(self.number, f"{name} ended with exit code {code}")
        if time.monotonic() - self.heard > silence:
            return Ended(self.number, f"{name} did not answer for {silence:g} s")
        return None

    def end(self) -> None:
        """End the process, with those that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.connection.close()


class Children:
    """Processes that are started together; leaving the context ends all that still run."""

    def __init__(
        self,
        function: Callable[..., None],
        arguments: Sequence[tuple[Any, ...]],
        environment: Mapping[str, str] | None = None,
        silence: float = SILENCE,
    ) -> None:
        """Describe the processes.

        Args:
            function: called as ``function(parent, *arguments[i])`` in process i; `parent` is a `child.Parent`.
            arguments: one tuple per process.
            environment: environment variables to change.
            silence: seconds without a sign of life after which a process counts as stopped.
        """
        self.function, self.arguments = function, arguments
        self.environment, self.silence = environment or {}, silence
        self.running: list[Child] = []

    def __enter__(self) -> Self:
        try:
            for number in range(len(self.arguments)):
                self.start(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for child in self.running:
            child.end()
        self.running = []

    def start(self, number: int) -> Child:
        """Start a process."""
        child = Child(number, self.function, self.arguments[number], self.environment)
        self.running.append(child)
        return child

    def wait(self, pause: float = PAUSE) -> list[tuple[Child, Any]]:
        """Wait for messages, at most `pause` seconds, and return them; processes that have ended send an `Ended`.

        Those, and processes that have finished, are `running` no longer.
        """
        wait([child.connection for child in self.running], pause)
        found: list[tuple[Child, Any]] = []
        for child in list(self.running):
            found += [(child, message) for message in child.read()]
            ended = child.ended(self.silence)
            if ended is not None:
                found.append((child, ended))
            if ended is not None or child.finished:
                self._forget(child)
        return found

    def _forget(self, child: Child) -> None:
        if child.finished:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(self.silence)
        child.end()
        self.running.remove(child)

    def causes(self, ended: Ended) -> Ended:
        """Return the end of a process that explains an end: the others may report it a moment later."""
        found, until = [ended], time.monotonic() + LAST_WORDS
        while self.running and time.monotonic() < until:
            found += [message for _, message in self.wait(0.1) if isinstance(message, Ended)]
        ours = [one for one in found if one.error is not None]
        return next(iter([*ours, *(one for one in found if one.is_cause)]), ended)

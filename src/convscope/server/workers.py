"""Several processes that answer the requests of one address."""

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType

from convscope.errors import ConvscopeError, RunError
from convscope.printable import printable
from convscope.server.metrics import Metrics
from convscope.server.model_store import model_names
from convscope.server.opening import check_served
from convscope.server.process import SIGNALS, serve_socket
from convscope.server.settings import ServerSettings

POLL_SECONDS = 0.2


@dataclass(frozen=True, eq=False)
class Worker:
    """A process, and the pipe by which it reports that it is ready; its end tells the process that this one died."""

    process: SpawnProcess
    pipe: Connection


class Workers:
    """Processes that accept connections of one socket; one that dies is started again.

    A worker that ends before it is ready ends the server, so that a fault is not repeated for ever.

    Args:
        listener: the socket, which listens already.
        paths: folders of runs or saved models.
        settings: settings of the server.
        metrics_file: the file of their metrics.
    """

    def __init__(
        self, listener: socket.socket, paths: Sequence[Path], settings: ServerSettings, metrics_file: Path
    ) -> None:
        for path in paths:
            check_served(path)
        self.names = model_names(paths)
        Metrics(self.names, settings.workers, 0, metrics_file)
        self._given = listener, tuple(paths), settings, metrics_file
        self._workers: dict[int, Worker] = {}
        self._signals = 0

    def run(self, on_ready: Callable[[], None]) -> None:
        """Run the workers until a signal, then let each answer what it has accepted.

        Raises:
            RunError: a worker ended before it was ready.
        """
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            starting = set(range(self._given[2].workers))
            for number in starting:
                self._start(number)
            announced = False
            while not self._signals:
                wait([worker.pipe for worker in self._workers.values()], POLL_SECONDS)
                starting -= {number for number in starting if self._is_ready(number)}
                if not starting and not announced:
                    announced = True
                    on_ready()
                starting |= self._replace_dead(starting)
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(number, there, *self._given), name=f"convscope-{number}")
        process.start()
        there.close()
        self._workers[number] = Worker(process, here)

    def _is_ready(self, number: int) -> bool:
        pipe = self._workers[number].pipe
        try:
            return pipe.poll() and bool(pipe.recv())
        except EOFError:
            return False

    def _replace_dead(self, starting: set[int]) -> set[int]:
        """Start workers that died again, and return their numbers."""
        dead = [number for number, worker in self._workers.items() if worker.process.exitcode is not None]
        if self._signals:
            return set()
        for number in dead:
            code = self._workers[number].process.exitcode
            if number in starting:
                raise RunError(f"server: worker {number} ended with exit code {code} before it was ready; see above")
            print(f"convscope: worker {number} ended with exit code {code}; started again", file=sys.stderr, flush=True)
            self._start(number)
        return set(dead)

    def _stop(self) -> None:
        self._given[0].close()  # with this copy open, connections would still be established and never accepted
        for worker in self._workers.values():
            worker.process.terminate()
        first = self._signals
        for worker in self._workers.values():
            while worker.process.is_alive():
                worker.process.join(POLL_SECONDS)
                if self._signals > max(first, 1):
                    worker.process.kill()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1


def serve_workers(
    listener: socket.socket, paths: Sequence[Path], settings: ServerSettings, on_ready: Callable[[list[str]], None]
) -> None:
    """Serve models by `settings.workers` processes; see `serve.serve`."""
    with tempfile.TemporaryDirectory(prefix="convscope-") as folder:
        workers = Workers(listener, paths, settings, Path(folder) / "metrics")
        workers.run(lambda: on_ready(workers.names))


def _work(
    number: int, pipe: Connection, listener: socket.socket, paths: tuple[Path, ...], settings: ServerSettings,
    metrics_file: Path,
) -> None:  # fmt: skip
    """Run one worker; it ends on SIGTERM, which the parent sends, or when the parent died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent handles it
    metrics = Metrics(model_names(paths), settings.workers, number, metrics_file)

    def follow_parent() -> None:
        try:
            pipe.recv()
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow_parent, name="convscope-parent", daemon=True).start()
    try:
        serve_socket(listener, paths, settings, lambda _names: pipe.send(True), metrics)
    except ConvscopeError as error:
        print(f"convscope: {printable(str(error))}", file=sys.stderr, flush=True)
        sys.exit(2)

"""One process of the server: it ends on SIGTERM or Ctrl-C, and loses no request on the way."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from convscope.datasets.inputs.opening import quiet_pillow
from convscope.server.access import HEADERS, ServerAccess
from convscope.server.app import application
from convscope.server.metrics import Metrics
from convscope.server.model_store import ModelStore
from convscope.server.settings import ServerSettings
from convscope.web.connections import Connection

BACKLOG = 2048  # connections that may wait to be accepted
DRAIN_SECONDS = 1.0
"""Time between the signal and the end of accepting connections: clients are told with every answer to connect again,
and a balancer of loads sees that the server is not ready."""
READ_SECONDS = 0.1  # for the requests of the connections that were accepted last
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ServerConnection(Connection):
    """A connection to the prediction server."""

    error_headers = HEADERS
    max_waiting = 1024


def serve_socket(
    listener: socket.socket, paths: Sequence[Path], settings: ServerSettings,
    on_ready: Callable[[list[str]], None], metrics: Metrics | None = None,
) -> None:  # fmt: skip
    """Serve models by this process, on a socket that listens already; return after a signal.

    Args:
        listener: the socket.
        paths: folders of runs or saved models.
        settings: settings of the server.
        on_ready: called with the names of the models once requests are accepted.
        metrics: receives what is measured; None: new ones.

    Raises:
        RunError, ModelError: a model cannot be opened.
    """
    store = ModelStore(paths, settings, metrics)
    app = application(store, settings.host, listener.getsockname()[1])
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=60, lifespan="on",
        http=ServerConnection, ws="none", backlog=BACKLOG,
    )  # fmt: skip
    server = PredictionServer(config, store, app, lambda: on_ready(store.names))
    with quiet_pillow():  # filters of warnings are shared by all threads
        server.run(sockets=[listener])


class PredictionServer(uvicorn.Server):
    """A server that ends in three steps: it asks clients to leave, stops accepting connections, answers the rest."""

    def __init__(
        self, config: uvicorn.Config, store: ModelStore, access: ServerAccess, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._store, self._access, self._ready = store, access, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._store.draining = self._access.draining = True
        if not self.force_exit:
            await asyncio.sleep(DRAIN_SECONDS)
            copies = [one.dup() for one in sockets or []]  # closing the last one resets connections that wait in it
            for server in self.servers:
                server.close()
            for listener in copies:
                await self._accept_rest(listener)
                listener.close()
            await asyncio.sleep(READ_SECONDS)
        await super().shutdown(sockets)

    async def _accept_rest(self, listener: socket.socket) -> None:
        """Accept the connections that the system has established already."""
        loop, config = asyncio.get_running_loop(), self.config
        protocol: Any = config.http_protocol_class
        listener.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                await loop.connect_accepted_socket(
                    lambda: protocol(config=config, server_state=self.server_state, app_state=self.lifespan.state),
                    connection,
                )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on a signal, and return normally afterwards."""
        handled = [one for one in SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._end) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal
        self.should_exit = True

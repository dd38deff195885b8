"""Serve a run's explorer until Ctrl-C."""

import secrets
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from convscope.explorer.app import application
from convscope.explorer.auth import HEADERS
from convscope.explorer.session import Session
from convscope.web.connections import Connection
from convscope.web.listening import link_host, listening

PORT = 8765  # default, if it is free
LOOPBACK = "127.0.0.1"


def serve(
    run: Path, host: str = LOOPBACK, port: int | None = None, *, open_page: bool = True,
    on_ready: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Serve the explorer of a run; return when it is stopped.

    Args:
        run: the run folder.
        host: address to bind; any non-loopback address exposes the explorer to the network (the token is still needed).
        port: None is 8765, or any free port if that is in use; 0 is any free port.
        open_page: open the link in the user's browser.
        on_ready: called with the link once the server listens.
    Raises:
        RunError: not a run folder.
        ConfigError: the address cannot be bound.
    """
    session = Session.open(run)
    with listening(host, (PORT, 0) if port is None else (port,), port) as listener:
        session.preload()
        number = listener.getsockname()[1]
        token, ticket = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        link = f"http://{link_host(host)}:{number}/?token={token}"
        app = application(session, token, host, number, ticket)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1, lifespan="on",
            timeout_keep_alive=30, http=ExplorerConnection, ws="none",
        )  # fmt: skip
        ticket_link = link.replace(token, ticket) if open_page else ""
        server = _Server(config, lambda: _ready(link, ticket_link, on_ready), session.broadcaster.close)
        server.run(sockets=[listener])


class ExplorerConnection(Connection):
    """A connection to the explorer."""

    error_headers = HEADERS
    invalid = "request: not valid HTTP; open the link that convscope explore printed in a browser"


class _Server(uvicorn.Server):
    """A server that calls `ready` once it listens, and ends event streams before it waits for connections to close."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], closing: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready, self._closing = ready, closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing()
        await super().shutdown(sockets)


def _ready(link: str, ticket_link: str, on_ready: Callable[[str], None]) -> None:
    """Report the link, and open a single-use one in the browser: other users can read its command line."""
    on_ready(link)
    if ticket_link:
        webbrowser.open(ticket_link)

"""Serve a run's explorer until Ctrl-C."""

import os
import secrets
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from convscope.errors import ConfigError
from convscope.explorer.app import application
from convscope.explorer.connections import Connection
from convscope.explorer.session import Session

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
    with _listening(host, port) as listener:
        session.preload()
        number = listener.getsockname()[1]
        token, ticket = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        link = f"http://{_link_host(host)}:{number}/?token={token}"
        app = application(session, token, host, number, ticket)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1, lifespan="on",
            timeout_keep_alive=30, http=Connection, ws="none",
        )  # fmt: skip
        ticket_link = link.replace(token, ticket) if open_page else ""
        server = _Server(config, lambda: _ready(link, ticket_link, on_ready), session.broadcaster.close)
        server.run(sockets=[listener])


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


def _listening(host: str, port: int | None) -> socket.socket:
    for number in (PORT, 0) if port is None else (port,):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, number), family=family, backlog=128)
            # Inherited by connections. Without it, responses are delayed by 40 ms between head and body: asyncio sets
            # it only if the socket names its protocol, and Python's default sockets do not.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    raise ConfigError(f"--host {host} --port {port}: cannot be bound ({reason}); choose another port")


def _link_host(host: str) -> str:
    """Return the host for the link."""
    if host in ("0.0.0.0", "::", ""):
        return LOOPBACK
    return f"[{host}]" if ":" in host else host

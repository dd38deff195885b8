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
from convscope.explorer.session import Session

PORT = 8765  # where it is free and no other was asked for
LOOPBACK = "127.0.0.1"


def serve(
    run: Path, host: str = LOOPBACK, port: int | None = None, *, open_page: bool = True,
    on_ready: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Serve the explorer of a run's folder; returns when it is stopped.

    Args:
        run: its folder.
        host: to listen on; anything but loopback lets other machines in, as far as they know the token.
        port: None takes 8765 or, where that is in use, any free one; 0 any free one.
        open_page: open the link in the user's browser.
        on_ready: called with the link once the server listens.
    Raises:
        RunError: it is no run.
        ConfigError: the address cannot be listened on.
    """
    session = Session.open(run)
    with _listening(host, port) as listener:
        session.preload()
        number = listener.getsockname()[1]
        token, ticket = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        link = f"http://{_written(host)}:{number}/?token={token}"
        app = application(session, token, host, number, ticket)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1, lifespan="on",
            timeout_keep_alive=30, limit_concurrency=128, ws="none",
        )  # fmt: skip
        opened = link.replace(token, ticket) if open_page else ""
        server = _Server(config, lambda: _ready(link, opened, on_ready), session.broadcaster.close)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says when it listens, and ends its listeners before it waits for connections to end."""

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


def _ready(link: str, opened: str, on_ready: Callable[[str], None]) -> None:
    """Say the link, and open another in the browser, whose words others on this machine can read: it works once."""
    on_ready(link)
    if opened:
        webbrowser.open(opened)


def _listening(host: str, port: int | None) -> socket.socket:
    for number in (PORT, 0) if port is None else (port,):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, number), family=family, backlog=128)
            # Connections inherit it. Without, head and body wait 40 ms for each other: asyncio sets it only where the
            # socket names its protocol, and sockets that Python makes by default do not.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    raise ConfigError(f"--host {host} --port {port}: cannot be listened on ({reason}); choose another port")


def _written(host: str) -> str:
    """The host as the link names it."""
    if host in ("0.0.0.0", "::", ""):
        return LOOPBACK
    return f"[{host}]" if ":" in host else host

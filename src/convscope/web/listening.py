"""The socket that a server listens on, and the address to print."""

import os
import socket
from collections.abc import Sequence

from convscope.errors import ConfigError
from convscope.web.access import ANY_ADDRESS, LOOPBACK

BACKLOG = 128


def listening(host: str, ports: Sequence[int], wanted: int | None, backlog: int = BACKLOG) -> socket.socket:
    """Return a socket that listens on the first free one of some ports; 0 is any free port.

    Args:
        host: address to bind.
        ports: tried in order.
        wanted: the port that the user chose, for the message.
        backlog: connections that may wait to be accepted.

    Raises:
        ConfigError: none can be bound.
    """
    for number in ports:
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, number), family=family, backlog=backlog)
            # Inherited by connections. Without it, responses are delayed by 40 ms between head and body: asyncio sets
            # it only if the socket names its protocol, and Python's default sockets do not.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    raise ConfigError(f"--host {host} --port {wanted}: cannot be bound ({reason}); choose another port")


def link_host(host: str) -> str:
    """Return the host for the link."""
    if host in ANY_ADDRESS:
        return LOOPBACK[0]
    return f"[{host}]" if ":" in host else host

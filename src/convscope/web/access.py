"""Who may send requests: tokens compared in constant time, and the addresses that a server answers to."""

import hmac
import ipaddress
import json
import socket

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

ANY_ADDRESS = ("0.0.0.0", "::", "")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OwnAddress:
    """The names and the port by which a server may be addressed.

    Args:
        host: address that the server listens on.
        port: port that the server listens on.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port, self.all_addresses = port, host in ANY_ADDRESS
        named = {host, *LOOPBACK} | ({socket.gethostname()} if self.all_addresses else set())
        self.hosts = frozenset(name.lower() for name in named if name)

    def matches(self, address: str) -> bool:
        """Whether "name:port" is this server: the name of another site may resolve to this address (DNS rebinding)."""
        name, _, port = address.rpartition(":")
        if not name or "]" in port:  # no port: the default of HTTP
            name, port = address, "80"
        name = name.strip("[]").lower()
        return port == str(self.port) and (name in self.hosts or (self.all_addresses and is_ip_address(name)))

    def is_origin(self, origin: str) -> bool:
        """Whether an Origin header names this server."""
        return origin.startswith("http://") and self.matches(origin.removeprefix("http://"))


def has_bearer_token(headers: Headers, token: str) -> bool:
    """Whether a request has the token in its Authorization header."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and equal_in_constant_time(given, token)


def equal_in_constant_time(given: str, token: str) -> bool:
    """Whether two tokens are equal, compared in constant time."""
    return hmac.compare_digest(given.encode(), token.encode())


def is_ip_address(name: str) -> bool:
    """Whether a host is an IP address, which no DNS server can redirect."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def forbidden(message: str) -> Response:
    """Return a 403 response with a message."""
    return Response(
        json.dumps({"error": message, "kind": "forbidden"}), 403, {"Connection": "close"}, "application/json"
    )


async def reject_websocket(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Close a WebSocket connection: there are none."""
    await send({"type": "websocket.close", "code": 1008})

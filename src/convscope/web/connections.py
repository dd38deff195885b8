"""Connections of the server: each request must arrive in time, and a client that says nothing gives way to others."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from convscope.web.error_handlers import error_response

REQUEST_SECONDS = 10.0  # from the first byte of a request, or the connection, to the end of its headers


class Connection(H11Protocol):
    """An HTTP/1.1 connection of uvicorn with a limit on the time until a request is complete.

    Without it, connections whose headers never end would hold the server against all other clients. Errors of the
    protocol have the same form and headers as all other errors.

    Attributes:
        error_headers: sent with every error of the protocol.
        invalid: the message for what is not HTTP.
        max_waiting: connections without a request in progress; above, the one that waited longest is closed.
    """

    error_headers: ClassVar[Mapping[str, str]] = {}
    invalid: ClassVar[str] = "request: not valid HTTP; send the request again"
    max_waiting: ClassVar[int] = 64
    _timer: asyncio.TimerHandle | None = None
    _waiting_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._wait()
        self._limit_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._request_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._request_arrived()
        elif self._is_idle():
            self._limit_time()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self._is_idle() and not self.transport.is_closing():
            self._wait()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the text of uvicorn
        """Refuse what is not HTTP, in the form of all errors."""
        self._refuse(400, "request", self.invalid)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        self._waiting_since = self.loop.time()
        others = [one for one in self.connections if isinstance(one, Connection)]
        waiting = [(one._waiting_since, one) for one in others if one._waiting_since is not None]
        if len(waiting) > self.max_waiting:
            min(waiting, key=lambda entry: entry[0])[1]._close()

    def _limit_time(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(REQUEST_SECONDS, self._too_late)

    def _request_arrived(self) -> None:
        self._waiting_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        message = f"request: its headers did not arrive within {REQUEST_SECONDS:g} seconds; send the request again"
        self._refuse(408, "timeout", message)

    def _close(self) -> None:
        self._request_arrived()
        self.transport.close()

    def _refuse(self, status: int, kind: str, message: str) -> None:
        if not self.transport.is_closing() and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_response(status, kind, message, self.error_headers))
        self._close()


def _response(status: int, kind: str, message: str, extra: Mapping[str, str]) -> bytes:
    """Return the bytes of an error response that ends the connection."""
    response = error_response(status, kind, message)
    headers: dict[str, Any] = {**dict(response.headers), **extra, "Cache-Control": "no-store", "Connection": "close"}
    lines = [f"HTTP/1.1 {status} ", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + bytes(response.body)

"""What happens, told to every page that listens."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Lock
from typing import Any

from convscope.explorer.backend import BusyError

LISTENERS = 16
WAITING = 256  # events that a slow listener may be behind
PING = 15.0  # seconds between signs of life
ServerSentEvent = tuple[str, dict[str, Any]]


class Broadcaster:
    """Listeners, each with a queue of its own; `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queues: dict[asyncio.Queue[ServerSentEvent | None], asyncio.AbstractEventLoop] = {}
        self._closed = False

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Tell every listener; one that is too far behind misses it, and asks anew when it reconnects."""
        self._put((name, data))

    def close(self) -> None:
        """End every listener."""
        self._closed = True
        self._put(None)

    def _put(self, event: ServerSentEvent | None) -> None:
        with self._lock:
            for queue, loop in self._queues.items():
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(_offer, queue, event)

    def subscribe(self) -> asyncio.Queue[ServerSentEvent | None]:
        """A new listener's queue.

        Raises:
            BusyError: there are too many.
        """
        queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(WAITING)
        with self._lock:
            if len(self._queues) >= LISTENERS:
                raise BusyError(f"events: {LISTENERS} pages listen already; close one")
            self._queues[queue] = asyncio.get_running_loop()
        return queue

    async def listen(self, queue: asyncio.Queue[ServerSentEvent | None], first: dict[str, Any]) -> AsyncIterator[str]:
        """Server-sent events, until the listener goes or the server ends."""
        try:
            yield to_server_sent_event("hello", first)
            while not self._closed:
                try:
                    event = await asyncio.wait_for(queue.get(), PING)
                except TimeoutError:
                    event = ("ping", {})
                if event is None:
                    return
                yield to_server_sent_event(*event)
        finally:
            with self._lock:
                self._queues.pop(queue, None)


def to_server_sent_event(name: str, data: dict[str, Any]) -> str:
    """An event as the standard has it (HTML, section 9.2)."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _offer(queue: asyncio.Queue[ServerSentEvent | None], event: ServerSentEvent | None) -> None:
    with suppress(asyncio.QueueFull):
        queue.put_nowait(event)

"""Broadcast of server-sent events to all connected pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Lock
from typing import Any

from convscope.explorer.backend import BusyError

MAX_SUBSCRIBERS = 16
QUEUE_SIZE = 256  # events that a slow subscriber may be behind
PING_SECONDS = 15.0  # between pings
ServerSentEvent = tuple[str, dict[str, Any]]


class Broadcaster:
    """One queue per subscriber; `publish` is thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queues: dict[asyncio.Queue[ServerSentEvent | None], asyncio.AbstractEventLoop] = {}
        self._closed = False

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to every subscriber; one whose queue is full misses it and refetches after a reconnect."""
        self._put((name, data))

    def close(self) -> None:
        """End all subscriptions."""
        self._closed = True
        self._put(None)

    def _put(self, event: ServerSentEvent | None) -> None:
        with self._lock:
            for queue, loop in self._queues.items():
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(_offer, queue, event)

    def subscribe(self) -> asyncio.Queue[ServerSentEvent | None]:
        """Return the queue of a new subscriber.

        Raises:
            BusyError: there are `MAX_SUBSCRIBERS` already.
        """
        queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(QUEUE_SIZE)
        with self._lock:
            if len(self._queues) >= MAX_SUBSCRIBERS:
                raise BusyError(f"events: {MAX_SUBSCRIBERS} pages are connected already; close one")
            self._queues[queue] = asyncio.get_running_loop()
        return queue

    async def listen(self, queue: asyncio.Queue[ServerSentEvent | None], first: dict[str, Any]) -> AsyncIterator[str]:
        """Yield server-sent events until the subscriber disconnects or the server stops."""
        try:
            yield to_server_sent_event("hello", first)
            while not self._closed:
                try:
                    event = await asyncio.wait_for(queue.get(), PING_SECONDS)
                except TimeoutError:
                    event = ("ping", {})
                if event is None:
                    return
                yield to_server_sent_event(*event)
        finally:
            with self._lock:
                self._queues.pop(queue, None)


def to_server_sent_event(name: str, data: dict[str, Any]) -> str:
    """Format an event as in the HTML standard, section 9.2."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _offer(queue: asyncio.Queue[ServerSentEvent | None], event: ServerSentEvent | None) -> None:
    with suppress(asyncio.QueueFull):
        queue.put_nowait(event)

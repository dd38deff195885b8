"""Dynamic batching: images that arrive at about the same time are computed together."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Generic, TypeVar

from convscope.web.errors import BusyError

MAX_WAIT = 0.02
"""Seconds that an image waits at most for others, while nothing is computed."""
SMOOTHING = 0.2  # weight of the newest duration in the moving average

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Collects images and computes them in batches, one batch at a time; used from one event loop.

    While a batch is computed, the next one collects. When nothing is computed, an image waits for others only as long
    as some are being read, at most half the time that a batch takes: a single client never waits.

    Args:
        compute: function from images to their results, in order; runs in `executor`.
        executor: the thread that computes.
        max_batch: largest number of images computed at once.
        max_pending: images in work, from the first byte of a request to its answer.
        on_batch: called with the size and the seconds of each batch.
    """

    def __init__(
        self, compute: Callable[[list[Item]], Sequence[Result]], executor: Executor, max_batch: int, max_pending: int,
        on_batch: Callable[[int, float], None] = lambda _size, _seconds: None,
    ) -> None:  # fmt: skip
        self._compute, self._executor, self._on_batch = compute, executor, on_batch
        self.max_batch, self.max_pending = max_batch, max_pending
        self.pending = 0
        self._arriving = 0
        self._batch_seconds, self._image_seconds = 2 * MAX_WAIT, 0.0
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def admitted(self, images: int = 1) -> Iterator[None]:
        """Count images as in work inside the context.

        Raises:
            BusyError: too many are in work already; says after how many seconds to try again.
        """
        if self.pending + images > self.max_pending:
            seconds = max(1, math.ceil(self.pending * self._image_seconds))
            raise BusyError(
                f"server: {self.pending} of at most {self.max_pending} images are in work; "
                f"send the request again in {seconds} second{'' if seconds == 1 else 's'}",
                seconds,
            )
        self.pending += images
        try:
            yield
        finally:
            self.pending -= images

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Announce an image that is being read, so that a batch waits for it."""
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1
            self._changed.set()

    async def result(self, image: Item) -> Result:
        """Return the result of an image, computed with others."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="convscope-batches")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((image, future))
        self._changed.set()
        return await future

    async def close(self) -> None:
        """Stop after the images in work are answered."""
        while self.pending:
            await asyncio.sleep(0.01)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            while not self._waiting:
                self._changed.clear()
                await self._changed.wait()
            await self._gather()
            count = min(len(self._waiting), self.max_batch)
            batch = [one for one in (self._waiting.popleft() for _ in range(count)) if not one[1].cancelled()]
            if batch:
                await self._answer(batch)

    async def _gather(self) -> None:
        """Wait until no image is being read, the batch is full or the time is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + min(MAX_WAIT, self._batch_seconds / 2)
        while self._arriving and len(self._waiting) < self.max_batch and (left := end - loop.time()) > 0:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            results = await loop.run_in_executor(self._executor, self._compute, [image for image, _ in batch])
        except Exception as error:  # one image must not fail the others of its batch
            if len(batch) > 1:
                for one in batch:
                    await self._answer([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        self._measure(len(batch), loop.time() - start)
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():  # cancelled meanwhile
                future.set_result(result)

    def _measure(self, size: int, seconds: float) -> None:
        self._batch_seconds += SMOOTHING * (seconds - self._batch_seconds)
        self._image_seconds += SMOOTHING * (seconds / size - self._image_seconds)
        self._on_batch(size, seconds)

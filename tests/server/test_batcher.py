"""Images are computed together, none waits without need, and one that fails does not fail the others."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from convscope.server.batcher import Batcher
from convscope.web.errors import BusyError


def run(work, compute, **settings):
    """Run a coroutine of a batcher; return its result."""
    settings = {"max_batch": 4, "max_pending": 8, **settings}

    async def with_batcher():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(compute, executor, **settings)
            try:
                return await work(batcher)
            finally:
                await batcher.close()

    return asyncio.run(with_batcher())


def test_images_that_arrive_during_a_batch_are_computed_together_and_never_more_than_the_maximum():
    sizes, begun, more = [], threading.Event(), threading.Event()

    def compute(images):
        sizes.append(len(images))
        begun.set()
        more.wait(5)
        return [2 * image for image in images]

    async def work(batcher):
        first = asyncio.create_task(batcher.result(0))
        await asyncio.to_thread(begun.wait, 5)
        rest = [asyncio.create_task(batcher.result(number)) for number in range(1, 7)]
        await asyncio.sleep(0)
        more.set()
        return await asyncio.gather(first, *rest)

    assert run(work, compute) == [0, 2, 4, 6, 8, 10, 12]
    assert sizes == [1, 4, 2]


def test_an_image_waits_for_those_that_are_being_read_and_a_single_one_does_not_wait():
    sizes = []

    async def work(batcher):
        batcher._batch_seconds = 10  # a wait of up to MAX_WAIT
        start = time.monotonic()
        await batcher.result(1)
        alone = time.monotonic() - start
        with batcher.arriving():
            first = asyncio.create_task(batcher.result(1))
            await asyncio.sleep(0.002)
        second = asyncio.create_task(batcher.result(2))
        await asyncio.gather(first, second)
        return alone

    alone = run(work, lambda images: sizes.append(len(images)) or images)
    assert alone < 0.02
    assert sizes == [1, 2]


def test_an_image_that_fails_does_not_fail_the_others_of_its_batch():
    def compute(images):
        if 2 in images:
            raise ValueError("two")
        return images

    async def work(batcher):
        return await asyncio.gather(*(batcher.result(n) for n in range(4)), return_exceptions=True)

    found = run(work, compute)
    assert [found[0], found[1], found[3]] == [0, 1, 3]
    assert (type(found[2]), str(found[2])) == (ValueError, "two")


def test_images_beyond_the_maximum_are_refused_with_the_seconds_that_those_in_work_take():
    async def work(batcher):
        batcher._image_seconds = 0.7
        with batcher.admitted(7), pytest.raises(BusyError) as caught, batcher.admitted(2):
            pass
        assert batcher.pending == 0
        return caught.value

    error = run(work, lambda images: images)
    assert str(error) == "server: 7 of at most 8 images are in work; send the request again in 5 seconds"
    assert error.retry_after == 5

"""Work on many files, spread over the cores."""

import math
import mmap
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import BinaryIO, NoReturn, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

T = TypeVar("T")
Work = Callable[[range], T]

FORK_FROM = 2_000
"""Items from which processes are made. With small files, most of the time goes to Python's own steps, which threads of
one process take one at a time; a process takes some 20 ms to start."""


CHUNKS_PER_WORKER = 4
"""Times, at least, that a worker takes some of the items."""


def parallel_map(work: Work[T], count: int, chunk: int, workers: int, fork_from: int = FORK_FROM) -> Iterator[T]:
    """``work(range)`` for all of ``range(count)``, some items at a time; results in order, as they come.

    Processes of Linux are copies of this one, so `work` may write to what they share: mapped files and anonymous maps
    (`shared_zeros`). They end with this one, whatever ends it. What one of them leaves undone is done here.

    Args:
        work: takes some of the items' numbers.
        count: items in all.
        chunk: items at a time, at most; fewer where there are few, so that no worker ends long before the others.
        workers: processes, or threads where there are few items or no such processes.
        fork_from: from how many items on processes are made.
    """
    chunk = min(chunk, math.ceil(count / (CHUNKS_PER_WORKER * max(workers, 1)))) or 1
    chunks = [range(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    if sys.platform == "linux" and count >= fork_from and workers > 1:
        yield from _by_processes(work, chunks, workers)
        return
    with ThreadPoolExecutor(workers, "convscope-files") as pool:
        try:
            yield from pool.map(work, chunks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def shared_zeros(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bytes of 0 in memory that this process shares with those that it makes."""
    size = int(np.prod(shape))
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), np.uint8, size).reshape(shape)


def _by_processes(work: Work[T], chunks: Sequence[range], workers: int) -> Iterator[T]:
    children: list[tuple[int, BinaryIO]] = []
    try:
        for worker in range(workers):
            children.append(_child(work, chunks[worker::workers], [result for _, result in children]))
        ended: set[int] = set()
        for number, items in enumerate(chunks):
            worker = number % workers
            if worker not in ended:
                try:
                    yield pickle.load(children[worker][1])
                    continue
                except (EOFError, pickle.UnpicklingError):  # killed, for instance for want of memory
                    ended.add(worker)
            yield work(items)
    finally:
        for process, result in children:
            result.close()
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _child(work: Work[T], chunks: Sequence[range], others: Sequence[BinaryIO]) -> tuple[int, BinaryIO]:
    """A copy of this process that tells its results; its number, and where it tells them."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child takes no lock that another thread could hold
        process = os.fork()
    if process == 0:
        os.close(reading)
        for other in others:
            os.close(other.fileno())
        _send_results(work, chunks, writing)
    os.close(writing)
    return process, os.fdopen(reading, "rb")


def _send_results(work: Work[T], chunks: Sequence[range], writing: int) -> NoReturn:
    """Write every result; when nobody reads any more, a signal ends this process."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its children
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        torch.set_num_threads(1)  # the others did not come along, and would be waited for
        with os.fdopen(writing, "wb") as pipe:
            for items in chunks:
                pickle.dump(work(items), pipe, pickle.HIGHEST_PROTOCOL)
                pipe.flush()
        code = 0
    finally:
        os._exit(code)  # nothing of the parent's is closed, flushed or told twice

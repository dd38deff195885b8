"""A parallel map over many files."""

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
from typing import Any, BinaryIO, NoReturn, TypeVar

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

T = TypeVar("T")
Work = Callable[[range], T]

FORK_FROM = 2_000
"""Number of items from which processes are used. For small files most of the time is spent in Python code, which holds
the GIL; a process takes about 20 ms to start."""


CHUNKS_PER_WORKER = 4
"""Minimum number of chunks per worker."""


def parallel_map(work: Work[T], count: int, chunk: int, workers: int, fork_from: int = FORK_FROM) -> Iterator[T]:
    """``work(range)`` for all of ``range(count)``, in chunks; results in order, as they become available.

    On Linux processes are forked, so `work` may write to shared memory: mapped files and anonymous maps
    (`shared_zeros`). They end with this process. Chunks of a killed worker are computed here.

    Args:
        work: maps a range of item numbers to a result.
        count: number of items.
        chunk: maximum items per call; fewer if there are few items, to balance the load.
        workers: number of processes, or of threads for few items and on other systems.
        fork_from: number of items from which processes are used.
    """
    chunk = min(chunk, math.ceil(count / (CHUNKS_PER_WORKER * max(workers, 1)))) or 1
    chunks = [range(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    if sys.platform == "linux" and count >= fork_from and workers > 1:
        yield from _map_processes(work, chunks, workers)
        return
    with ThreadPoolExecutor(workers, "convscope-files") as pool:
        try:
            yield from pool.map(work, chunks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def shared_zeros(shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
    """An array of zeros in memory that is shared with forked processes."""
    size = int(np.prod(shape))
    return np.frombuffer(mmap.mmap(-1, max(size * np.dtype(dtype).itemsize, 1)), dtype, size).reshape(shape)


def _map_processes(work: Work[T], chunks: Sequence[range], workers: int) -> Iterator[T]:
    children: list[tuple[int, BinaryIO]] = []
    try:
        for worker in range(workers):
            children.append(_fork_worker(work, chunks[worker::workers], [result for _, result in children]))
        ended: set[int] = set()
        for number, items in enumerate(chunks):
            worker = number % workers
            if worker not in ended:
                try:
                    yield pickle.load(children[worker][1])
                    continue
                except (EOFError, pickle.UnpicklingError):  # killed, for example out of memory
                    ended.add(worker)
            yield work(items)
    finally:
        for process, result in children:
            result.close()
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _fork_worker(work: Work[T], chunks: Sequence[range], others: Sequence[BinaryIO]) -> tuple[int, BinaryIO]:
    """Fork a worker; return its process id and the pipe of its results."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child acquires no lock that another thread could hold
        process = os.fork()
    if process == 0:
        os.close(reading)
        for other in others:
            os.close(other.fileno())
        _send_results(work, chunks, writing)
    os.close(writing)
    return process, os.fdopen(reading, "rb")


def _send_results(work: Work[T], chunks: Sequence[range], writing: int) -> NoReturn:
    """Write every result; SIGPIPE ends this process when the reader is gone."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends its children
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        torch.set_num_threads(1)  # the threads of the parent's pool do not exist here and would be waited for
        with os.fdopen(writing, "wb") as pipe:
            for items in chunks:
                pickle.dump(work(items), pipe, pickle.HIGHEST_PROTOCOL)
                pipe.flush()
        code = 0
    finally:
        os._exit(code)  # without the parent's exit handlers and buffers

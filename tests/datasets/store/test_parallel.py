"""Parallel map over threads or processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from convscope.datasets.store.parallel import parallel_map, shared_zeros

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")


@pytest.mark.parametrize("fork_from", [1, 1000])
@pytest.mark.parametrize("count", [0, 1, 10, 11])
def test_results_come_in_order_and_whole(count: int, fork_from: int) -> None:
    found = list(parallel_map(lambda rows: [row**2 for row in rows], count, 3, 2, fork_from))
    assert [square for squares in found for square in squares] == [row**2 for row in range(count)]


@pytest.mark.parametrize(("count", "largest"), [(3, 1), (100, 13), (10_000, 32)])
def test_few_items_are_split_into_smaller_chunks(count: int, largest: int) -> None:
    assert max(parallel_map(len, count, 32, 2, fork_from=10**9)) == largest


@linux
def test_worker_processes_write_to_shared_memory() -> None:
    shared = shared_zeros((10, 2))

    def work(rows: range) -> int:
        shared[rows.start : rows.stop] = os.getpid() % 251 + 1
        return os.getpid()

    processes = set(parallel_map(work, 10, 2, 2, fork_from=1))
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert set(shared.flatten().tolist()) == {process % 251 + 1 for process in processes}


@linux
def test_the_chunks_of_a_killed_worker_are_computed_in_the_main_process() -> None:
    here = os.getpid()

    def work(rows: range) -> list[int]:
        if 4 in rows and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return list(rows)

    assert [row for rows in parallel_map(work, 12, 2, 2, fork_from=1) for row in rows] == list(range(12))


def children() -> Iterator[str]:
    yield from Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@linux
def test_no_process_remains_when_the_iterator_is_closed() -> None:
    before = set(children())
    results = parallel_map(lambda rows: time.sleep(0.01) or len(rows), 400, 1, 2, fork_from=1)
    assert next(results) == 1
    assert len(set(children()) - before) == 2
    results.close()
    assert set(children()) <= before


@pytest.mark.slow
@linux
def test_workers_end_with_a_killed_main_process() -> None:
    """The killed process prints the ids of its workers first; they end because their pipe has no reader."""
    code = """
import os, time
from convscope.datasets.store.parallel import parallel_map
for process in parallel_map(lambda rows: time.sleep(0.02) or os.getpid(), 10_000, 1, 2, fork_from=1):
    print(process, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        workers = [int(killed.stdout.readline()) for _ in range(2)]
        killed.kill()
    deadline = time.monotonic() + 20
    while any(alive(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("fork_from", [1, 1000])
def test_an_error_here_reaches_the_caller(fork_from: int) -> None:
    def work(rows: range) -> None:
        raise ValueError(f"planted at {rows.start}")

    with pytest.raises(ValueError, match="planted at 0"):
        list(parallel_map(work, 4, 1, 2, fork_from))

"""Two processes that stay alive for a test session and compute together over gloo."""

import contextlib
import multiprocessing
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest
import torch


def serve(rank: int, count: int, port: int, connection: Connection) -> None:
    """Join the group and call the functions that arrive."""
    import torch.distributed as dist

    torch.set_num_threads(1)
    store = dist.TCPStore("127.0.0.1", port, is_master=False)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
    with contextlib.suppress(EOFError):
        while True:
            function, arguments = connection.recv()
            try:
                connection.send((function(*arguments), ""))
            except BaseException:
                connection.send((None, traceback.format_exc()))
    dist.destroy_process_group()


class Together:
    """Calls a function in all processes at once and returns their results in order."""

    def __init__(self, count: int) -> None:
        import torch.distributed as dist

        context = multiprocessing.get_context("spawn")
        self.store = dist.TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
        self.connections, self.processes = [], []
        for rank in range(count):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(rank, count, self.store.port, there), daemon=True)
            process.start()
            there.close()
            self.connections.append(here)
            self.processes.append(process)

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Results by rank; `function` is one of a module in helpers/, which the processes can import."""
        for connection in self.connections:
            connection.send((function, arguments))
        results = [connection.recv() for connection in self.connections]
        assert not any(error for _, error in results), "\n".join(error for _, error in results)
        return [result for result, _ in results]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        for process in self.processes:
            process.join(10)


@pytest.fixture(scope="session")
def together() -> Iterator[Together]:
    """Two processes; see `Together`."""
    pair = Together(2)
    yield pair
    pair.close()

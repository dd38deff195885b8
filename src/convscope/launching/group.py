"""Joining the processes that train together."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed import Store  # type: ignore[attr-defined]

from convscope.errors import ConfigError
from convscope.runs.folder import RunFolder
from convscope.training import ProcessGroup

PREPARING = timedelta(days=2)  # how long the others wait until the first has prepared the run
EXCHANGE = timedelta(minutes=30)  # the longest wait for another process, where no launcher of ours watches them


@contextmanager
def joined(store: Store, rank: int, count: int, local_rank: int, run: Path) -> Iterator[ProcessGroup]:
    """Join the processes that train a run, with NCCL where it trains on GPUs, each on one of its own, else with gloo.

    Args:
        store: where they find each other, new at each attempt.
        rank: of this process.
        count: of all processes.
        local_rank: of this process among those of its machine, which is the number of its GPU.
        run: the run's folder.

    Raises:
        ConfigError: the machine has fewer GPUs than processes.
    """
    settings = RunFolder.open(run).recipe().train
    on_gpu = settings.device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        _choose_gpu(local_rank, count)
    backend = "nccl" if on_gpu else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=EXCHANGE)
    try:
        yield ProcessGroup(settings.norm_statistics)
    finally:
        dist.destroy_process_group()


def _choose_gpu(local_rank: int, count: int) -> None:
    available = torch.cuda.device_count()
    if local_rank >= available:
        raise ConfigError(
            f"train.processes is {count}, but this machine has {available} GPU{'' if available == 1 else 's'}; "
            "use one process per GPU, or set train.device to cpu"
        )
    torch.cuda.set_device(local_rank)

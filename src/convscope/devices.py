"""Device and thread selection; PyTorch is imported by the functions that need it, since exported files run without."""

import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

from convscope.errors import ConfigError

if TYPE_CHECKING:
    import torch

TIMED_CONVOLUTIONS = 5  # per number of threads


def requested_device(name: str) -> "torch.device":
    """Return the device of the recipe; "auto" is CUDA where available, else the CPU.

    Raises:
        ConfigError: the device is not available on this machine.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device  # of several GPUs the one that this process has chosen, by its number
    except (RuntimeError, AssertionError):
        raise ConfigError(
            f"train.device is {name!r}, which is not available on this machine; use auto, cpu or cuda"
        ) from None


def inference_device(name: str) -> "torch.device":
    """Return the device of the recipe where available, else "auto": inference may run on another machine."""
    try:
        return requested_device(name)
    except ConfigError:
        return requested_device("auto")


def physical_cores(root: Path = Path("/")) -> int:
    """Return the number of physical cores available to this process, within its affinity and its container's limit.

    Two hyper-threads of a core share its arithmetic units, so a thread for each only adds contention. A container's
    limit (cgroup v2 ``cpu.max``, v1 ``cpu.cfs_quota_us``) is not reflected in the number of processors.

    Args:
        root: the folder of ``sys`` and ``proc``; another one in tests.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    topology = root / "sys/devices/system/cpu"
    cores = {_read(topology / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu) for cpu in allowed}
    return max(1, min(len(cores), int(_cgroup_limit(root / "sys/fs/cgroup"))))


def default_threads() -> int:
    """Return how many threads to compute with: ``OMP_NUM_THREADS`` where it is set, as in PyTorch, else all cores."""
    threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # a list: one number per nested level
    return int(threads) if threads.isdecimal() and int(threads) else physical_cores()


def threads_each(processes: int) -> int:
    """Return the number of threads of each of several processes that share the cores; 0 for a single one: all cores."""
    return 0 if processes == 1 else max(1, default_threads() // processes)


def use_cores(count: int | None = None) -> int:
    """Set the number of torch threads to `count`, or to `default_threads`, and return it."""
    import torch

    count = count or default_threads()
    torch.set_num_threads(count)
    return count


def fastest_threads() -> int:
    """Return the number of torch threads with which convolutions are fastest now: one per core, half of them, or one.

    The threads of a convolution wait for each other, so on cores that other processes use, fewer are faster: with two
    threads instead of one, images took twice as long on two cores with a load of 8. The number in use is unchanged.
    """
    import torch

    before, cores = torch.get_num_threads(), default_threads()
    x, kernel = torch.rand(4, 64, 56, 56), torch.rand(64, 64, 3, 3)
    seconds: dict[int, float] = {}
    for count in dict.fromkeys((cores, max(1, cores // 2), 1)) if cores > 1 else ():
        torch.set_num_threads(count)
        torch.conv2d(x, kernel)
        began = time.perf_counter()
        for _ in range(TIMED_CONVOLUTIONS):
            torch.conv2d(x, kernel)
        seconds[count] = time.perf_counter() - began
    torch.set_num_threads(before)
    return min(seconds, key=seconds.__getitem__, default=1)


def processor() -> str:
    """Return the name of the processor as the operating system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine() -> str:
    """Return what timings depend on: the processor and the number of its cores that this process may use."""
    return f"{processor()}, {physical_cores()} cores"


def _cgroup_limit(folder: Path) -> float:
    """Return the container's limit in cores; a very large number where there is none."""
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    if not quota:
        quota = _read(folder / "cpu/cpu.cfs_quota_us")
        period = _read(folder / "cpu/cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return 2**31
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""

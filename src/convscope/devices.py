"""Devices and processor cores that a network runs on."""

import os
from pathlib import Path

import torch

from convscope.errors import ConfigError


def requested_device(name: str) -> torch.device:
    """The device that the recipe names; "auto" is a CUDA device where there is one.

    Raises:
        ConfigError: when it is not on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError):
        raise ConfigError(f"train.device is {name!r}, which is not available on this machine; use auto, cpu or cuda") from None


def inference_device(name: str) -> torch.device:
    """The device that the recipe names, or what this machine has: a network may be asked elsewhere than it trained."""
    try:
        return requested_device(name)
    except ConfigError:
        return requested_device("auto")


def physical_cores(root: Path = Path("/")) -> int:
    """How many cores this process may keep busy: real ones, within its affinity and its container's limit.

    Two hyper-threads of one core share its arithmetic, so that a thread for each only adds waiting. A container's
    limit (cgroup v2 ``cpu.max``, v1 ``cpu.cfs_quota_us``) does not show in the number of processors.

    Args:
        root: where ``sys`` and ``proc`` lie; another folder in tests.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    topology = root / "sys/devices/system/cpu"
    cores = {_read(topology / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu) for cpu in allowed}
    return max(1, min(len(cores), int(_cgroup_limit(root / "sys/fs/cgroup"))))


def use_cores(count: int | None = None) -> int:
    """Let torch compute with `count` threads, or with one per available core; return how many."""
    count = count or physical_cores()
    torch.set_num_threads(count)
    return count


def _cgroup_limit(folder: Path) -> float:
    """Return the cores' worth of time that the container may use; very many where nothing limits it."""
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

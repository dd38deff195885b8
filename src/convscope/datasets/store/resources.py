"""Memory and CPU cores available to this process."""

import os
from pathlib import Path


def available_memory() -> int:
    """Available memory in bytes: that of the system, or the rest of a container's limit if it is less."""
    limits = [amount for amount in (_linux(), _container(), _half_of_installed()) if amount is not None]
    return min(limits) if limits else 4 * 2**30


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Number of cores of this process, or of a container's limit (cgroup v2 ``cpu.max``, v1) if it is less."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _text(cgroup / "cpu.max").strip().partition(" ")
    if not quota:
        quota, period = (_text(cgroup / f"cpu/cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    limited = quota.isdigit() and period.isdigit() and int(period) > 0
    return max(1, min(cores, int(quota) // int(period))) if limited else cores


def _linux(table: Path = Path("/proc/meminfo")) -> int | None:
    for line in _text(table).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _container(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    limit, used = _text(folder / "memory.max").strip(), _text(folder / "memory.current").strip()
    return max(0, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else None


def _half_of_installed() -> int | None:
    """Half of the installed memory, if the system (macOS) does not report free memory."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 if _linux() is None else None
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

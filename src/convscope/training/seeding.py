"""The same numbers again: seeds, random states, and how many cores there really are."""

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed every generator that a run draws from: Python's, NumPy's, and torch's on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def deterministic(wanted: bool = True) -> None:
    """Let torch choose kernels that give the same bits every time; on a GPU they may be slower.

    Kernels that have no such form warn and go on. On a CPU the bits also depend on the number of threads. Memory that
    is about to be written over is not filled first, as torch would, which costs 2 % of a step.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it first starts
    # as use_deterministic_algorithms, which also imports PyTorch's compiler; `compiling` tells that when it is needed
    torch.set_deterministic_debug_mode("warn" if wanted else "default")
    torch.utils.deterministic.fill_uninitialized_memory = not wanted  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not wanted


def random_states() -> dict[str, Any]:
    """Where every generator stands, as tensors and numbers alone so that a checkpoint of them is safe to open."""
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": {"version": version, "words": torch.tensor(words), "gauss": gauss},
        "numpy": {
            "kind": str(kind),
            "keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "position": int(position),
            "has_gauss": int(has_gauss),
            "cached": float(cached),
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Put every generator where `random_states` found it; GPUs that are no longer there are passed over."""
    python, numpy = states["python"], states["numpy"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
    keys = numpy["keys"].numpy().astype(np.uint32)
    np.random.set_state((numpy["kind"], keys, numpy["position"], numpy["has_gauss"], numpy["cached"]))
    torch.set_rng_state(states["torch"].cpu())
    for device, state in zip(range(torch.cuda.device_count()), states["cuda"], strict=False):
        torch.cuda.set_rng_state(state.cpu(), device)


def available_cores(root: Path = Path("/")) -> int:
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
    count = count or available_cores()
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

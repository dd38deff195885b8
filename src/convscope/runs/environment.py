"""The environment of a run: versions, machine, wall-clock time."""

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from convscope.devices import processor
from convscope.energy import Energy, grid_of
from convscope.files import atomic_write
from convscope.runs.folder import FORMAT, RunFolder

PACKAGES = ("convscope", "numpy", "pillow", "scikit-learn")


def environment(device: torch.device) -> dict[str, Any]:
    """Return the versions and the hardware, as ``environment.json`` stores them."""
    return {
        "format": FORMAT,
        "python": sys.version.split()[0],
        **{name: installed_version(name) for name in PACKAGES},
        "torch": torch.__version__,  # with its build, such as +cpu or +cu130
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "seconds": 0.0,
    }


def installed_version(package: str) -> str:
    """Return the version of a package, "not installed" where it is imported from a folder of source files."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def environment_changes(folder: RunFolder, device: torch.device) -> str:
    """Return what differs from the environment in which a run started and bit-equality depends on; empty if nothing.

    The number of threads is not among these: a resumed run uses the number with which it started.
    """
    before, now = folder.environment(), environment(device)
    names = {"torch": "PyTorch", "processor": "processor", "device": "device"}
    changed = [
        f"{name} {now[key]} instead of {before[key]}" for key, name in names.items() if before.get(key) != now[key]
    ]
    return ", ".join(changed)


def write_environment(folder: RunFolder, device: torch.device) -> None:
    """Write ``environment.json`` for a new run."""
    atomic_write(folder.environment_file, json.dumps(environment(device), indent=1).encode())


def add_session(folder: RunFolder, resumed_at: int, seconds: float, energy: Energy) -> tuple[float, dict[str, Any]]:
    """Add the wall-clock seconds and the energy of a session to those of earlier sessions; return the sums.

    Of a session that was killed only the completed epochs count, at the power of this session.

    Args:
        folder: the run.
        resumed_at: the epoch at which this session started.
        seconds: its duration.
        energy: what it used.
    """
    content = folder.environment()
    epochs = sum(event["seconds"] for event in folder.events("epoch") if event["epoch"] <= resumed_at)
    recorded, before = content["seconds"], max(content["seconds"], epochs)
    total = energy.longer(1 + (before - recorded) / seconds) if seconds and before > recorded else energy
    if content.get("energy"):
        total = Energy.of(content["energy"]) + total
    content["seconds"] = round(before + seconds, 3)
    content["energy"] = total.record(grid_of(folder.recipe().energy.country))
    atomic_write(folder.environment_file, json.dumps(content, indent=1).encode())
    return float(content["seconds"]), content["energy"]

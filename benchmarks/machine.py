"""What a benchmark ran on, for the JSON beside its figures."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def described(*packages: str) -> dict[str, Any]:
    """Processor, cores, threads, and versions of Python, torch and the packages named."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(terse=True),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", *packages)}},
    }


def keep(path: Path, content: dict[str, Any], *packages: str) -> None:
    """Write figures with the machine that they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": described(*packages), **content}, indent=1) + "\n", encoding="utf-8")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())

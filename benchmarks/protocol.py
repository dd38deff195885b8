"""How every comparison here is made: a fresh process per measurement, kinds alternating, the machine's limits first.

A script that compares has `KINDS`, from a kind's name to the Python that runs it ("ours", or "peers": an environment of
their own, since their dependencies clash with ours), and prints one JSON line when it is started with a kind's name.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
THREADS = "2"
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "fastai", "ultralytics", "opencv-python-headless")


@dataclass(frozen=True)
class Comparison:
    """One script of this folder."""

    script: str
    kinds: dict[str, str]  # name -> "ours" or "peers"
    rounds: int = 5
    arguments: tuple[str, ...] = ()
    reference: str = "ours"
    notes: dict[str, str] = field(default_factory=dict)


def interpreter(which: str, peers: Path) -> str:
    """The Python of an environment.

    Raises:
        SystemExit: the peers' is not there.
    """
    if which == "ours":
        return sys.executable
    found = peers / "bin" / "python"
    if not found.exists():
        raise SystemExit(f"{found}: no such environment; make it as benchmarks/README.md says, or name it with --peers")
    return str(found)


def measured(python: str, script: str, arguments: list[str]) -> dict[str, Any]:
    """What a fresh process prints last, and the seconds of its whole life, by the clock and of the processor.

    The processor's, over all threads and children, are what can still be compared when the machine has other work.
    """
    path = f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}" if python == sys.executable else ""
    surroundings = {**os.environ, "OMP_NUM_THREADS": THREADS, "PYTHONPATH": path}
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [python, str(HERE / script), *arguments], capture_output=True, text=True, env=surroundings, check=False
    )
    lived, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} failed:\n{process.stderr[-2000:]}")
    lines = [line for line in process.stdout.splitlines() if line.startswith("{")]
    return {**json.loads(lines[-1]), "process_seconds": round(lived, 3), "processor_seconds": round(worked, 3)}


def limits() -> dict[str, float]:
    """What the machine can do at most: float32 and bfloat16 products of matrices, and copying memory."""
    import torch

    torch.set_num_threads(int(THREADS))
    a = torch.randn(2048, 2048)
    half, large = a.bfloat16(), torch.empty(64 * 2**20, dtype=torch.uint8)
    other = torch.empty_like(large)
    operations = 2 * 2048**3 / 1e9
    return {
        "float32_gflops": round(operations / _least(lambda: a @ a), 1),
        "bfloat16_gflops": round(operations / _least(lambda: half @ half), 1),
        "copy_gb_per_second": round(2 * large.numel() / 1e9 / _least(lambda: other.copy_(large)), 2),
    }


def _least(work: Any, times: int = 7) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def machine() -> dict[str, Any]:
    """Processor, system, cores."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "load_at_start": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Of what is installed here and counts."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except ImportError:
            continue
    return found


def versions_of(python: str) -> dict[str, str]:
    """The same of another environment."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import json, protocol; print(json.dumps(protocol.versions()))"
    )
    output: dict[str, str] = json.loads(subprocess.check_output([python, "-c", code], text=True))
    return output


def summary(values: list[float]) -> dict[str, Any]:
    """Median, least and most."""
    rounded = [round(value, 4) for value in values]
    middle = round(statistics.median(values), 4)
    return {"n": len(values), "median": middle, "least": min(rounded), "most": max(rounded), "all": rounded}

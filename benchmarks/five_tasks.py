"""Every task on the drawn shapes, as a user types it: seconds of the whole process and scores on the test images.

python benchmarks/five_tasks.py --seeds 0 1 2 --out benchmarks/results/five_tasks.json
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import keep
from protocol import summary

TASKS = {
    "classify": ("accuracy",),
    "multilabel": ("map", "micro_f1"),
    "regress": ("r2", "mae"),
    "segment": ("miou", "accuracy"),
    "localise": ("iou50", "both"),
}


def measure(task: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train with defaults, then look at the test images."""
    call, run = [sys.executable, "-m", "convscope"], str(folder / f"{task}-{seed}")
    began = time.perf_counter()
    train = [*call, "train", "shapes", "--task", task, "--seed", str(seed), "--out", run]
    subprocess.run(train, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    look = [*call, "evaluate", run, "--split", "test", "--json"]
    output = json.loads(subprocess.run(look, check=True, capture_output=True, text=True).stdout)
    return {"seconds": seconds, **{score: output[score] for score in TASKS[task]}}


def main() -> None:
    """Measure all, tell, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {task: [] for task in TASKS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in given.seeds:
            for task in TASKS:
                found[task].append(measure(task, seed, Path(folder)))
                print(task, seed, found[task][-1], flush=True)
    text = {task: {name: summary([line[name] for line in lines]) for name in lines[0]} for task, lines in found.items()}
    if given.out:
        keep(given.out, {"command": "benchmarks/five_tasks.py", "seeds": given.seeds, "tasks": text})


if __name__ == "__main__":
    main()

"""One class per pixel: the naive network, whose maps all are as large as the image, against those that go down and up.

    python benchmarks/full_resolution.py                       the drawn shapes, the same epochs and settings for all
    python benchmarks/full_resolution.py --epochs 10 --out benchmarks/results/full_resolution.json

Memory is that of the maps that a training step keeps for one image, from the arithmetic; the peak is what the whole
process took at most. Each network trains in a process of its own. mIoU is of the validation images.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import convscope as cs

NETWORKS: dict[str, dict[str, Any]] = {
    "full_resolution": {"width": 32, "depth": 8, "norm": "batch"},
    "unet": {"width": 32, "norm": "batch"},
    "segnet": {"width": 32},
}
SIDE = 32


def measure(name: str, epochs: int, seed: int) -> dict[str, Any]:
    """Train one network, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        settings = {"task": "segment", "model.name": name, "model.options": NETWORKS[name], "data.size": SIDE}
        run = cs.train("shapes", out=Path(folder) / "run", epochs=epochs, seed=seed, settings=settings)
        seconds = time.process_time() - began
        summary = cs.inspect(run.path, (3, SIDE, SIDE))
        scores = run.history[-1]["validation"]
    return {
        "network": name,
        "weights": summary.num_parameters,
        "macs": summary.macs,
        "maps MB per image": round(summary.memory / 1e6, 1),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "sees": max(summary.last_maps().rf_size),
        "seconds": round(seconds, 1),
        "miou": round(scores["miou"], 4),
    }


def main() -> None:
    """Measure each in a process of its own and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?", choices=list(NETWORKS))
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    given = parser.parse_args()
    if given.network:
        print(json.dumps(measure(given.network, given.epochs, given.seed)), flush=True)
        return
    found = []
    for name in NETWORKS:
        arguments = [name, f"--epochs={given.epochs}", f"--seed={given.seed}"]
        process = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
        found.append(json.loads(process.stdout.splitlines()[-1]))
        print("  ".join(f"{key} {value}" for key, value in found[-1].items()), flush=True)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps({"epochs": given.epochs, "networks": found}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

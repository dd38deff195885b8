"""Transfer against from scratch in the same time, against features computed anew, and against a peer's script.

    python benchmarks/transfer.py DATA WEIGHTS --seeds 0 1 2 --out lines.jsonl [--peer PYTHON SCRIPT SECONDS] [--anew]

DATA has train/CLASS and test/CLASS. Runs are interleaved, one process at a time, each on all cores. One JSON line per
run: what, seed, wall-clock seconds of the whole process (imports, reading and report included) and accuracy on the test
images, by which nothing was chosen.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch


def machine() -> dict[str, object]:
    """Cores, vector instructions and versions."""
    flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    wide = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni") if flag in flags]
    return {"cores": os.cpu_count(), "cpu": wide, "torch": torch.__version__, "python": platform.python_version()}


def ours(data: str, folder: Path, *flags: str) -> dict[str, object]:
    """Train and look at the test set once."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "convscope"]
    subprocess.run([*command, "train", data, "--out", str(folder), *flags], check=True, capture_output=True)
    took = time.perf_counter() - began
    process = subprocess.run(
        [*command, "evaluate", str(folder), "--split", "test", "--json"], check=True, capture_output=True, text=True
    )
    found = json.loads(process.stdout)
    inside = json.loads((folder / "environment.json").read_text())["seconds"]
    return {"seconds": round(took, 1), "run_seconds": inside, "accuracy": found["accuracy"], "images": found["images"]}


def peer(python: str, script: str, data: str, seconds: str, weights: str) -> dict[str, object]:
    """The peer's own line, and the seconds of its whole process."""
    began = time.perf_counter()
    process = subprocess.run(
        [python, script, data, seconds, "mobilenet_v2", "224", "64", weights],
        check=True,
        capture_output=True,
        text=True,
    )
    took = time.perf_counter() - began
    found = json.loads(process.stdout.strip().splitlines()[-1])
    return {"seconds": round(took, 1), "run_seconds": found["seconds"], "accuracy": found["accuracy"], "result": found}


def main() -> None:
    """Run what is asked for, line by line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("weights")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peer", nargs=3, metavar=("PYTHON", "SCRIPT", "SECONDS"))
    parser.add_argument("--anew", action="store_true")
    given = parser.parse_args()
    common = {"data": Path(given.data).name, **machine()}
    with tempfile.TemporaryDirectory() as home, given.out.open("a") as lines:

        def note(what: str, seed: int, found: dict[str, object]) -> dict[str, object]:
            lines.write(json.dumps({"what": what, "seed": seed, **found, **common}) + "\n")
            lines.flush()
            print(what, seed, found, flush=True)
            return found

        for seed in given.seeds:
            os.environ["CONVSCOPE_CACHE"] = str(Path(home) / f"cache{seed}")  # cold each time
            begin = ["--from", given.weights, "--seed", str(seed)]
            found = note("transfer", seed, ours(given.data, Path(home) / f"transfer{seed}", *begin))
            if given.peer:
                python, script, seconds = given.peer
                note("fastai", seed, peer(python, script, given.data, seconds, given.weights))
            budget = ["--from", "scratch", "--budget", f"{found['run_seconds']:.0f}s", "--seed", str(seed)]
            note("scratch", seed, ours(given.data, Path(home) / f"scratch{seed}", *budget))
            if given.anew:
                anew = [*begin, "--set", "transfer.views=0"]
                note("transfer, features anew", seed, ours(given.data, Path(home) / f"anew{seed}", *anew))


if __name__ == "__main__":
    main()

"""C4: accuracy on test images after so many seconds of wall clock, cold, from a folder with train/ and test/.

    benchmarks/run c4 --rounds 3 -- FOLDER [SECONDS [ARCHITECTURE SIDE BATCH]]

Ours is the command as a user types it, with a cache of its own that is empty at the start; the budget holds everything
from the process's start to its report, and the test images are evaluated after it. `accuracy` is what `evaluate`
reports without a flag, with the test-time augmentation that training chose, `once` is without. The peers' scripts lie
in $CONVSCOPE_BENCH (by default shared/bench beside this checkout); they train on all of train/, of which ours keeps a
tenth for validation. What follows SECONDS goes to theirs alone: fastai needs to be set to photos at 128 px.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from protocol import ROOT, Comparison

PEERS = {"plain": "plain_peer.py", "fastai": "fastai_peer.py", "ultralytics": "ultralytics_peer.py"}
COMPARISON = Comparison("five_minutes.py", {"ours": "ours", **dict.fromkeys(PEERS, "peers")}, rounds=3)


def ours(folder: str, seconds: str) -> dict[str, float]:
    """Train, then look."""
    place = Path(tempfile.mkdtemp(prefix="c4-"))
    cold = {**os.environ, "CONVSCOPE_CACHE": str(place / "cache")}
    run, call = place / "run", [sys.executable, "-m", "convscope"]
    began = time.perf_counter()
    settings = ["--from", "scratch", "--budget", f"{seconds}s", "--out", str(run)]
    subprocess.run([*call, "train", folder, *settings], check=True, env=cold, stdout=subprocess.DEVNULL)
    values = {"seconds": round(time.perf_counter() - began, 1)}
    for name, flags in (("accuracy", []), ("once", ["--views", "1"])):
        look = [*call, "evaluate", str(run), "--split", "test", *flags, "--json"]
        found = json.loads(subprocess.run(look, check=True, env=cold, capture_output=True, text=True).stdout)
        values[name] = round(found["accuracy"], 4)
    epochs = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines() if '"epoch"' in line]
    return {**values, "steps": max(event["step"] for event in epochs)}


def peer(kind: str, folder: str, seconds: str, *options: str) -> None:
    """Become the peer's script, which prints its own line."""
    scripts = Path(os.environ.get("CONVSCOPE_BENCH", ROOT.parent / "shared" / "bench"))
    os.chdir(tempfile.mkdtemp(prefix="c4-"))
    os.execv(sys.executable, [sys.executable, str(scripts / PEERS[kind]), folder, seconds, *options])


def main(kind: str, folder: str, seconds: str = "300", *options: str) -> None:
    """Print what was reached."""
    if kind == "ours":
        print(json.dumps(ours(folder, seconds)))
    else:
        peer(kind, folder, seconds, *options)


if __name__ == "__main__":
    main(*sys.argv[1:])

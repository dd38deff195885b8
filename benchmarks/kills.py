"""Kill processes of a training at random steps, and compare the result with that of an unbroken run.

    python benchmarks/kills.py --kills 50

Prints for each kill the process, the step and the seconds until the next step, then the number of kills after which
training went on, and whether the final weights have the same bits.
"""

import argparse
import os
import random
import signal
import statistics
import tempfile
import time
from pathlib import Path

from convscope.launching.training import Launch, together
from convscope.pipeline import preparing
from convscope.training import Note, Step

EPOCHS, STEPS = 30, 12  # of the digits with batches of 128
SETTINGS = {
    "model.name": "resnet18",
    "model.options": {"width": 8, "depths": [1, 1], "dropout": 0.1},
    "train.epochs": EPOCHS,
    "train.batch": 128,
    "train.threads": 1,
    "train.probes": 0,
    "train.precision": "float32",
    "train.restarts": 1000,
}


def main() -> None:
    """Run both trainings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = {**SETTINGS, "train.processes": options.processes}
    with tempfile.TemporaryDirectory() as folder:
        unbroken, broken = Path(folder, "unbroken"), Path(folder, "broken")
        for path in (unbroken, broken):
            list(preparing("digits", path, settings, share=options.processes))
        list(together(Launch(unbroken, options.processes, time.monotonic())))
        waits = train_with_kills(broken, options)
        print(f"{len(waits)} of {options.kills} kills: training went on, after {statistics.median(waits):.1f} s in "
              f"median and {max(waits):.1f} s at most")  # fmt: skip
        equal = weights(unbroken) == weights(broken)
        print(f"final weights: {'equal to the bit' if equal else 'DIFFERENT'}")


def train_with_kills(path: Path, options: argparse.Namespace) -> list[float]:
    """Train, and kill a process after random numbers of steps; return the seconds until the next step."""
    chosen, waits = random.Random(options.seed), []
    until, killed, restarted = chosen.randrange(1, STEPS), None, False
    for event in together(Launch(path, options.processes, time.monotonic())):
        restarted |= killed is not None and isinstance(event, Note)
        if not isinstance(event, Step):
            continue
        if restarted:
            waits.append(time.monotonic() - killed[0])
            killed, restarted = report(killed, waits), False
        until -= 1
        if until <= 0 and killed is None and len(waits) < options.kills:
            rank = chosen.randrange(options.processes)
            os.kill(children()[rank], signal.SIGKILL)
            killed = time.monotonic(), rank, event.step
            until = chosen.randrange(1, 2 * STEPS)
    return waits


def report(killed: tuple[float, int, int], waits: list[float]) -> None:
    """Print the last kill."""
    _, rank, step = killed
    print(f"kill {len(waits)}: process {rank} at step {step}, next step after {waits[-1]:.1f} s", flush=True)


def children() -> list[int]:
    """Return the processes that train, in the order of their ranks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            started = b"convscope.launching.child" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and started:
            found.append(int(folder.name))
    return sorted(found)


def weights(path: Path) -> bytes:
    """Return the run's network, as bytes."""
    return (path / "model" / "model.safetensors").read_bytes()


if __name__ == "__main__":
    main()

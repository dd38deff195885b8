"""Training throughput of two processes with one thread each, of one with one thread, and of one with two.

    python benchmarks/processes.py --rounds 3

Prints the images per second of each in turn, and the ratios of the medians. A ResNet-18 is bound by computation, a
LeNet by the overhead of each step.
"""

import argparse
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

from convscope.launching.training import training
from convscope.training import Step

WAYS = {"2 processes, 1 thread each": (2, 1), "1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2)}
NETWORKS = {"resnet18": 64, "lenet": 32}
WARM_UP = 5  # steps that are not counted


def main() -> None:
    """Measure every way in every round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    options = parser.parse_args()
    for network in options.networks:
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(options.rounds):
            for way, (processes, threads) in WAYS.items():
                rates[way].append(rate(network, processes, threads, options.steps))
        for way, found in rates.items():
            print(f"{network}, {way}: median {statistics.median(found):.1f} images/s, {sorted(map(round, found))}")
        two, *others = (statistics.median(found) for found in rates.values())
        print(
            f"{network}: {two / others[0]:.2f} times one process with 1 thread, {two / others[1]:.2f} with 2",
            flush=True,
        )


def rate(network: str, processes: int, threads: int, steps: int) -> float:
    """Return the images per second of training, after the first steps."""
    settings = {
        "model.name": network, "data.size": NETWORKS[network], "train.batch": 64, "train.epochs": 100,
        "train.processes": processes, "train.threads": threads, "train.probes": 0, "transfer.checkpoint": "scratch",
        "train.precision": "float32",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        events = training("shapes", Path(folder, "run"), settings)
        found = (event for event in events if isinstance(event, Step))
        list(islice(found, WARM_UP))
        started = time.perf_counter()
        images = sum(event.images for event in islice(found, steps))
        seconds = time.perf_counter() - started
        events.close()
    return images / seconds


if __name__ == "__main__":
    main()

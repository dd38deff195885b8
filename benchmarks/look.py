"""Time to look at a folder: `cs.data` without decoding, beside torchvision's `ImageFolder`, alternating on the same files.

    python benchmarks/look.py FOLDER [--rounds 5]

FOLDER has a subfolder per class, also inside train/ and test/. ImageFolder lists names and classes only, and is
constructed for each split; `cs.data` also reads every header, cuts the splits and counts what is skipped. CPU
seconds include those of worker processes, so that load from other processes distorts them less.
"""

import argparse
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import convscope as cs
from helpers.oracles import torchvision_operators


def main() -> None:
    """Print the seconds of every round, and their medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    image_folder = torchvision_image_folder()
    splits = [path for path in (given.folder / "train", given.folder / "test") if path.is_dir()] or [given.folder]
    work = {
        "convscope": lambda: cs.data(given.folder, pixels=False).event.summary.images,
        "ImageFolder": lambda: sum(len(image_folder(split)) for split in splits),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for number in range(given.rounds + 1):  # the first warms the file cache and the imports
        for name, look in work.items():
            count, spent, cpu = timed(look)
            print(f"round {number}  {name}: {count:,} images in {spent:.2f} s, CPU {cpu:.2f} s", flush=True)
            seconds[name] += [(spent, cpu)] if number else []
    for name, rounds in seconds.items():
        for kind, found in zip(("wall", "CPU"), zip(*rounds, strict=True), strict=True):
            print(f"{name}, {kind}: median {statistics.median(found):.2f} s ({min(found):.2f} to {max(found):.2f})")


def timed(look: Callable[[], int]) -> tuple[int, float, float]:
    """What it returns, the wall-clock seconds, and the CPU seconds of this process and its workers."""
    start, before = time.perf_counter(), sum(os.times()[:4])
    found = look()
    return found, time.perf_counter() - start, sum(os.times()[:4]) - before


def torchvision_image_folder() -> Callable[[Path], list[object]]:
    """`torchvision.datasets.ImageFolder`."""
    torchvision_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchvision.datasets import ImageFolder

        return ImageFolder


if __name__ == "__main__":
    main()

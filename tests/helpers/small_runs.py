"""Runs of less than a second, and what is compared of them."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from convscope.api import Event, RunFolder, nest, override, training
from convscope.files import atomic_write

# Dropout, batch norm and augmentation draw from every generator that a resumed run has to find again.
SMALL = {
    "model.options": {"width": 4, "depths": [1, 1], "dropout": 0.1},
    "train.epochs": 2,
    "train.batch": 16,
    "train.threads": 1,
    "train.precision": "float32",  # so that all machines compute alike
}

# One layer of the head, two stages: the smallest network with something to freeze.
PLAIN = {"augment__policy": "none", "model__options": {"width": 4, "depths": [1, 1]}, "train__batch": 8}


def small(**changes: Any) -> dict[str, Any]:
    """Settings of a small run; ``train__epochs=3`` changes one."""
    return override(nest(SMALL), nest({name.replace("__", "."): value for name, value in changes.items()}))


def start(path: Path, source: str, **changes: Any) -> Iterator[Event]:
    """A training that goes on as it is asked for events."""
    return training(source, path, small(**changes))


def train(path: Path, source: str, **changes: Any) -> list[Event]:
    """Train to the end; all events."""
    return list(start(path, source, **changes))


def weights(path: Path) -> bytes:
    """The run's network, as bytes."""
    return (path / "model" / "model.safetensors").read_bytes()


def tensors(path: Path) -> dict[str, torch.Tensor]:
    """The run's network, tensor by tensor."""
    return load_file(path / "model" / "model.safetensors")


def state(path: Path) -> dict[str, Any]:
    """The run's last state."""
    content: dict[str, Any] = torch.load(path / "checkpoint" / "last.pt", weights_only=True)
    return content


def same(first: Any, second: Any) -> bool:
    """Whether two nested states are equal to the bit; times in them differ and are not compared."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            same(value, second[name]) for name, value in first.items() if name not in ("spent", "evaluation")
        )
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def photos(folder: Path, classes: str = "ab", each: int = 10, size: tuple[int, int] = (16, 16), seed: int = 0) -> Path:
    """A folder with a subfolder of PNG files per class; each class is brighter than the one before."""
    generator = np.random.default_rng(seed)
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        low = 200 * number // len(classes)
        for i in range(each):
            pixels = generator.integers(low, low + 56, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def leave_out_report(replace: Callable[[str, Any], None]) -> None:
    """Let trainings write an empty report, by replacing names of `convscope.pipeline.finalize`."""

    def write(folder: RunFolder, *_given: object) -> Path:
        atomic_write(folder.report, b"")
        return folder.report

    replace("write_report", write)
    replace("write_first_insights", lambda *_given: None)


def read_toml(file: Path) -> dict[str, Any]:
    """A recipe as it was written."""
    return tomllib.loads(file.read_text(encoding="utf-8"))

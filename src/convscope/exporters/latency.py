"""How long the run and its exported forms take on this machine: ``latency.json``."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convscope.bundle import DecodedFile, Inference
from convscope.devices import machine
from convscope.exported.runtimes import LATENCY_FILE, NETWORK, typical_seconds
from convscope.exporters.source import Source
from convscope.files import atomic_write
from convscope.modules import channels_last

BATCHES = (1, 16)
SECONDS = 0.5  # of each form and size of batch
LEAST, MOST = 5, 100  # repetitions

Predicting = Callable[[Sequence[DecodedFile]], Any]
"""A form, opened: from decoded images of one size to answers."""


def measure_forms(source: Source, forms: Mapping[str, Predicting], image: DecodedFile) -> dict[str, Any]:
    """Median and 95th percentile of the seconds for a batch, of the run and of forms, measured alternating.

    Files are not decoded: an image that is decoded already is repeated.

    Args:
        source: the network of the run.
        forms: by their names.
        image: decoded for the run's network.
    """
    network = Inference(channels_last(source.model, next(source.model.parameters()).device), source.config)
    measured = {NETWORK: network.predict, **forms}
    found: dict[str, Any] = {name: {"batches": {}} for name in measured}
    for count in BATCHES:
        for name, seconds in _round_robin(measured, [image] * count).items():
            found[name]["batches"][str(count)] = {
                "median_seconds": float(np.median(seconds)),
                "p95_seconds": float(np.percentile(seconds, 95)),
                "repetitions": len(seconds),
            }
    return found


def write_latency(folder: Path, source: Source, measured: Mapping[str, Any]) -> tuple[Path, str]:
    """Add measurements to the file in a folder, which keeps those of other forms of the same network and machine.

    Returns:
        the file, and a line on the fastest form.
    """
    path = folder / LATENCY_FILE
    facts = {"machine": machine(), "weights_sha256": source.digest}
    forms = {**_earlier(path, facts), **measured}
    atomic_write(path, (json.dumps({**facts, "forms": forms}, indent=2) + "\n").encode())
    parts = [f"{name} {_milliseconds(one['batches'])}" for name, one in measured.items()]
    fastest = min(forms, key=lambda name: typical_seconds(forms[name]["batches"]))
    return path, f"{', '.join(parts)} for {' and '.join(map(str, BATCHES))} images; the fastest is {fastest}"


def _earlier(path: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
        same = all(found[name] == value for name, value in facts.items())
        return dict(found["forms"]) if same else {}
    except (OSError, ValueError, KeyError):
        return {}


def _round_robin(forms: Mapping[str, Predicting], batch: Sequence[DecodedFile]) -> dict[str, list[float]]:
    """Seconds of each repetition; other load on the machine meets all forms alike."""
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for predict in forms.values():
        predict(batch)  # prepares memory and kernels
    end = time.perf_counter() + SECONDS * len(forms)
    for repetition in range(MOST):
        if repetition >= LEAST and time.perf_counter() > end:
            break
        for name, predict in forms.items():
            start = time.perf_counter()
            predict(batch)
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _milliseconds(batches: Mapping[str, Any]) -> str:
    return " and ".join(f"{1000 * one['median_seconds']:.3g} ms" for one in batches.values())

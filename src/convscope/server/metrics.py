"""Metrics in the text format of Prometheus, added over all worker processes.

Every worker has a row of numbers in one file, which it alone writes and all read: a request for metrics reaches any of
them. Source: "Exposition formats" in the documentation of Prometheus, text format 0.0.4.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
OUTCOMES = ("ok", "invalid", "busy", "failed")
HISTOGRAMS = {
    "request_seconds": ("Seconds from the first byte of a request to its answer.", SECONDS),
    "batch_seconds": ("Seconds to compute a batch.", SECONDS),
    "batch_size": ("Images in a batch.", SIZES),
}
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters and histograms per model.

    Args:
        models: names of the models.
        workers: number of rows.
        worker: the row of this process.
        file: file that all workers share; None: this process only.
    """

    def __init__(self, models: Sequence[str], workers: int = 1, worker: int = 0, file: Path | None = None) -> None:
        self.models = tuple(models)
        lengths = [len(edges) + 2 for _, edges in HISTOGRAMS.values()]  # buckets, the infinite one, the sum
        self._starts = dict(zip(HISTOGRAMS, np.cumsum([len(OUTCOMES), *lengths]).tolist(), strict=False))
        self._width = len(OUTCOMES) + sum(lengths) + 1  # images in work at the end
        shape = (workers, len(self.models), self._width)
        self._rows: NDArray[np.float64] = np.zeros(shape)
        if file is not None:
            if not file.exists():
                np.zeros(shape).tofile(file)
            self._rows = np.memmap(file, np.float64, "r+", shape=shape)
        self._own = self._rows[worker]
        self._own[:, -1] = 0  # of a worker that was replaced

    def count(self, model: str, outcome: str) -> None:
        """Count a request by its outcome."""
        self._own[self.models.index(model), OUTCOMES.index(outcome)] += 1

    def observe(self, model: str, histogram: str, value: float) -> None:
        """Add a value to a histogram."""
        edges, start = HISTOGRAMS[histogram][1], self._starts[histogram]
        row = self._own[self.models.index(model)]
        row[start + int(np.searchsorted(edges, value))] += 1
        row[start + len(edges) + 1] += value

    def set_pending(self, model: str, images: int) -> None:
        """Set the number of images in work."""
        self._own[self.models.index(model), -1] = images

    def total(self, model: str, outcome: str) -> int:
        """Return the number of requests with an outcome, over all workers."""
        return int(self._rows[:, self.models.index(model), OUTCOMES.index(outcome)].sum())

    def text(self) -> str:
        """Return all metrics."""
        total, labels = self._rows.sum(0), [_escaped(name) for name in self.models]
        lines = _heading("requests_total", "Requests for predictions, by outcome.", "counter")
        for row, model in zip(total, labels, strict=True):
            for outcome, value in zip(OUTCOMES, row, strict=False):
                lines.append(f'convscope_requests_total{{model="{model}",outcome="{outcome}"}} {value:.0f}')
        lines += _heading("pending_images", "Images in work.", "gauge")
        lines += [
            f'convscope_pending_images{{model="{m}"}} {row[-1]:.0f}' for row, m in zip(total, labels, strict=True)
        ]
        for name, (summary, edges) in HISTOGRAMS.items():
            lines += _heading(name, summary, "histogram")
            for row, model in zip(total, labels, strict=True):
                lines += _histogram(name, model, edges, row[self._starts[name] :])
        return "\n".join(lines) + "\n"


def _heading(name: str, summary: str, kind: str) -> list[str]:
    return [f"# HELP convscope_{name} {summary}", f"# TYPE convscope_{name} {kind}"]


def _histogram(name: str, model: str, edges: Sequence[float], row: NDArray[np.float64]) -> list[str]:
    counts = np.cumsum(row[: len(edges) + 1])
    bounds = [*(f"{edge:g}" for edge in edges), "+Inf"]
    lines = [
        f'convscope_{name}_bucket{{model="{model}",le="{bound}"}} {count:.0f}'
        for bound, count in zip(bounds, counts, strict=True)
    ]
    lines.append(f'convscope_{name}_sum{{model="{model}"}} {row[len(edges) + 1]:.9g}')
    return [*lines, f'convscope_{name}_count{{model="{model}"}} {counts[-1]:.0f}']


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

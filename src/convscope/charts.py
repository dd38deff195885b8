"""Charts of a run as SVG text: transparent, in greys and two colours that read on light and on dark ground."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.extras import extra

INK, TRAIN, VALIDATION, WARNING = "#808890", "#5b8def", "#f2994a", "#d64545"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "convscope",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.2,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def standalone_svg(chart: str) -> str:
    """A chart as the content of a file of its own; within a page it needs no namespaces."""
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return chart.replace("<svg", f"<svg {spaces}", 1)


def lines(found: dict[str, tuple[Sequence[float], Sequence[float]]], score: str) -> str:
    """A score over a quantity, a panel for each quantity, all on one scale."""
    with _figure(1, len(found), (11, 2.9)) as (figure, panels):
        for axes, (name, (amounts, values)) in zip(panels, found.items(), strict=True):
            axes.plot(amounts, values, color=VALIDATION, marker="o", markersize=4)
            axes.set_ylim(0, 1.03)
            axes.set_xlabel(name)
        panels[0].set_ylabel(score)
        return _svg(figure)


def curves(epochs: Sequence[dict[str, Any]], best: int, overfitting: int | None, primary: str = "accuracy") -> str:
    """Loss and score of training and validation by epoch, with the epochs that matter marked.

    Args:
        epochs: "epoch" records of ``events.jsonl``.
        best: the epoch whose weights are in ``model/``.
        overfitting: the epoch from which the curves part, or None.
        primary: the score.
    """
    numbers = [e["epoch"] for e in epochs]
    with _figure(1, 3, (11, 2.9)) as (figure, (loss, score, rate)):
        for name, colour in (("train", TRAIN), ("validation", VALIDATION)):
            loss.plot(numbers, [e[name].get("loss") for e in epochs], color=colour, label=name)
            score.plot(numbers, [e[name].get(primary) for e in epochs], color=colour, label=name)
        rate.plot(numbers, [e["learning_rate"] for e in epochs], color=INK)
        loss.set_title("loss")
        score.set_title(primary)
        rate.set_title("learning rate at the end of each epoch")
        for axes in (loss, score, rate):
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.margins(x=0.02)
        for axes in (loss, score):
            axes.axvline(best, color=INK, linewidth=1, linestyle=":", label="kept")
            if overfitting is not None:
                axes.axvspan(overfitting, numbers[-1], color=WARNING, alpha=0.10, label="overfitting")
        loss.legend(fontsize=8)
        return _svg(figure)


def range_test(rates: Sequence[float], losses: Sequence[float], suggestion: float) -> str:
    """The learning-rate range test: loss against rate, the suggestion marked."""
    with _figure(1, 1, (5, 2.9)) as (figure, axes):
        axes.semilogx(rates, losses, color=TRAIN)
        axes.axvline(suggestion, color=VALIDATION, linewidth=1, label=f"{suggestion:.2g}")
        axes.set_xlabel("learning rate")
        axes.set_title("loss while the learning rate grows")
        axes.legend(fontsize=8)
        return _svg(figure)


def scatter(x: NDArray[np.float64], y: NDArray[np.float64], axes_names: tuple[str, str]) -> str:
    """Predictions (N,) against targets (N,); the line is where both are equal, or where a residual is 0."""
    with _figure(1, 1, (5, 3.4)) as (figure, axes):
        axes.scatter(x, y, s=10, color=TRAIN, alpha=0.6, linewidths=0)
        if axes_names[1] == "residual":
            axes.axhline(0, color=INK, linewidth=1)
        else:
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            axes.plot(ends, ends, color=INK, linewidth=1)
        axes.set_xlabel(axes_names[0])
        axes.set_ylabel(axes_names[1])
        return _svg(figure)


def accuracy_against_time(points: Sequence[tuple[str, float, float, float]]) -> str:
    """An SVG file of recipes: (name, seconds, accuracy, half an interval) each; up and left is better."""
    with _figure(1, 1, (6, 3.6)) as (figure, axes):
        for name, seconds, accuracy, reach in points:
            colour = VALIDATION if name == "transfer" else TRAIN
            axes.errorbar(max(seconds, 0.1), 100 * accuracy, 100 * reach, fmt="o", color=colour, capsize=3)
            axes.annotate(name, (max(seconds, 0.1), 100 * accuracy), xytext=(7, 4), textcoords="offset points")
        axes.set_xscale("log")
        axes.margins(x=0.18, y=0.12)
        axes.set_xlabel("seconds")
        axes.set_ylabel("validation accuracy in %")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()


@contextmanager
def _figure(rows: int, columns: int, inches: tuple[float, float]) -> Iterator[tuple[Any, Any]]:
    """A matplotlib figure in our style; no global setting is left changed."""
    with extra("report", "charts"):
        import matplotlib as mpl
        from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        yield figure, figure.subplots(rows, columns)


def _svg(figure: Any) -> str:
    """The figure as an ``<svg>`` element of an HTML page.

    Without prologue and name spaces, so that the page names no address, and without date: equal charts are equal text.
    """
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    whole = text.getvalue()
    return re.sub(r' xmlns(:xlink)?="[^"]*"', "", whole[whole.index("<svg") :])

"""Charts of a run as SVG text: transparent, with colours that are legible on light and dark backgrounds."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
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
    """Add the namespaces that a separate file needs; inside an HTML page they are not needed."""
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return chart.replace("<svg", f"<svg {namespaces}", 1)


def lines(series: dict[str, tuple[Sequence[float], Sequence[float]]], score: str) -> str:
    """Draw a score as a function of several quantities, one panel each, with a common scale."""
    with new_figure(1, len(series), (11, 2.9)) as (figure, panels):
        for axes, (name, (amounts, values)) in zip(panels, series.items(), strict=True):
            axes.plot(amounts, values, color=VALIDATION, marker="o", markersize=4)
            axes.set_ylim(0, 1.03)
            axes.set_xlabel(literal(name))
        panels[0].set_ylabel(literal(score))
        return to_svg(figure)


def curves(
    epochs: Sequence[dict[str, Any]], best: int, overfitting: int | None, primary: str = "accuracy", title: str = ""
) -> str:
    """Draw training and validation loss, score and learning rate by epoch, with the selected epoch marked.

    Args:
        epochs: "epoch" records of ``events.jsonl``.
        best: the epoch of the network in ``model/``.
        overfitting: the epoch from which the network overfits, or None.
        primary: the key of the score in the records.
        title: its name in the chart, if it is another.
    """
    numbers = [e["epoch"] for e in epochs]
    with new_figure(1, 3, (11, 2.9)) as (figure, (loss, score, rate)):
        point = "o" if len(epochs) == 1 else "-"  # a line of one point is invisible
        for name, colour in (("train", TRAIN), ("validation", VALIDATION)):
            loss.plot(numbers, [e[name].get("loss") for e in epochs], point, color=colour, label=name)
            score.plot(numbers, [e[name].get(primary) for e in epochs], point, color=colour, label=name)
        rate.plot(numbers, [e["learning_rate"] for e in epochs], point, color=INK)
        loss.set_title("loss")
        score.set_title(literal(title or primary))
        rate.set_title("learning rate at the end of each epoch")
        for axes in (loss, score, rate):
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.margins(x=0.02)
        for axes in (loss, score):
            axes.axvline(best, color=INK, linewidth=1, linestyle=":", label="selected")
            if overfitting is not None:
                axes.axvspan(overfitting, numbers[-1], color=WARNING, alpha=0.10, label="overfitting")
        loss.legend(fontsize=8)
        return to_svg(figure)


def by_depth(gradients: Mapping[str, Sequence[float]], scales: Mapping[str, Sequence[float]]) -> str:
    """Draw the gradient norm of each layer and the standard deviation of its outputs, from the first layer to the last.

    With vanishing or exploding signals the lines rise or fall by orders of magnitude.

    Args:
        gradients: one line per time of measurement, by its name.
        scales: likewise.
    """
    with new_figure(1, 2, (11, 2.9)) as (figure, panels):
        for axes, lines_of, title in zip(
            panels,
            (gradients, scales),
            ("gradient norm of the weights", "standard deviation of the outputs"),
            strict=True,
        ):
            for (name, values), shade in zip(
                lines_of.items(), np.linspace(0.35, 1, max(len(lines_of), 1)), strict=True
            ):
                known = [value if value > 0 else np.nan for value in values]  # 0 has no place on a logarithmic scale
                axes.semilogy(
                    range(1, len(values) + 1), known, "o-", ms=3, color=TRAIN, alpha=shade, label=literal(name)
                )
            axes.set_title(title)
            axes.set_xlabel("layer, from the input on")
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].legend(fontsize=8)
        return to_svg(figure)


def range_test(rates: Sequence[float], losses: Sequence[float], suggestion: float) -> str:
    """Draw the learning-rate range test: loss by learning rate, with the suggestion marked."""
    with new_figure(1, 1, (5, 2.9)) as (figure, axes):
        axes.semilogx(rates, losses, color=TRAIN)
        axes.axvline(suggestion, color=VALIDATION, linewidth=1, label=f"{suggestion:.2g}")
        axes.set_xlabel("learning rate")
        axes.set_title("loss as the learning rate increases")
        axes.legend(fontsize=8)
        return to_svg(figure)


def scatter(x: NDArray[np.float64], y: NDArray[np.float64], axes_names: tuple[str, str]) -> str:
    """Draw predictions (N,) or residuals (N,) by target (N,), with the line of perfect predictions."""
    with new_figure(1, 1, (5, 3.4)) as (figure, axes):
        axes.scatter(x, y, s=10, color=TRAIN, alpha=0.6, linewidths=0)
        if axes_names[1] == "residual":
            axes.axhline(0, color=INK, linewidth=1)
        else:
            ends = [min(x.min(), y.min()), max(x.max(), y.max())]
            axes.plot(ends, ends, color=INK, linewidth=1)
        axes.set_xlabel(literal(axes_names[0]))
        axes.set_ylabel(literal(axes_names[1]))
        return to_svg(figure)


def accuracy_against_time(points: Sequence[tuple[str, float, float, float]]) -> str:
    """Draw accuracy by time as an SVG file; each point is (name, seconds, accuracy, half the interval's width)."""
    with new_figure(1, 1, (6, 3.6)) as (figure, axes):
        for name, seconds, accuracy, half_interval in points:
            colour = VALIDATION if name == "transfer" else TRAIN
            axes.errorbar(max(seconds, 0.1), 100 * accuracy, 100 * half_interval, fmt="o", color=colour, capsize=3)
            axes.annotate(literal(name), (max(seconds, 0.1), 100 * accuracy), xytext=(7, 4), textcoords="offset points")
        axes.set_xscale("log")
        axes.margins(x=0.18, y=0.12)
        axes.set_xlabel("seconds")
        axes.set_ylabel("validation accuracy in %")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()


def literal(text: str) -> str:
    r"""Escape a user's text for matplotlib, which reads text between two dollars as mathematics.

    >>> print(literal("price $_$"))
    price \$_\$
    """
    return text.replace("$", r"\$")


@contextmanager
def new_figure(rows: int, columns: int, inches: tuple[float, float]) -> Iterator[tuple[Any, Any]]:
    """Create a matplotlib figure in the style of this module, without changing global settings."""
    with extra("report", "charts"):
        import matplotlib as mpl
        from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        yield figure, figure.subplots(rows, columns)


def to_svg(figure: Any) -> str:
    """Return the figure as an ``<svg>`` element.

    Without prologue and namespaces, so that a page has no external URLs, and without a date, for reproducible output.
    """
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    whole = text.getvalue()
    return re.sub(r' xmlns(:xlink)?="[^"]*"', "", whole[whole.index("<svg") :])

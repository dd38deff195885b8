"""Sanity check of attribution maps: which modules to randomise, a figure and a summary."""

from typing import Any

import numpy as np
from torch import nn

from convscope.analysis.layout import chart, titled
from convscope.explainers import CascadingRandomisation

MAX_CORRELATION = 0.5  # with random weights; maps above it depend on the image rather than the network


def parts(model: nn.Module) -> list[str]:
    """Return the modules with parameters from the output down: the children, and those of sequential containers."""
    found: list[str] = []
    for name, child in model.named_children():
        inside = isinstance(child, nn.Sequential | nn.ModuleList)
        found += [f"{name}.{one}" for one, _ in child.named_children()] if inside else [name]
    return [name for name in reversed(found) if any(True for _ in model.get_submodule(name).parameters())]


def sanity_sentence(method: str, found: CascadingRandomisation) -> str:
    """Summarise the correlation with randomised weights in a sentence."""
    correlation = float(found.correlations[-1].mean())
    if correlation <= MAX_CORRELATION:
        score = f"{method}: correlation {correlation:.2f} with all weights randomised"
        return f"{score}: the maps depend on the trained weights"
    return (
        f"{method}: correlation {correlation:.2f} with all weights randomised, more than {MAX_CORRELATION}: "
        "the maps largely depend on the image alone; do not use them as explanations"
    )


def sanity_sheet(found: dict[str, CascadingRandomisation], layer: str) -> np.ndarray:
    """Plot the correlation of each attribution method against the randomised layers."""

    def draw(axes: Any) -> None:
        for method, one in found.items():
            axes.plot([1.0, *one.correlations.mean(1)], marker=".", label=method.replace("_", " "))
        axes.axhline(MAX_CORRELATION, color="#808890", linewidth=1, linestyle=":")
        names = ["none", *next(iter(found.values())).layers]
        axes.set_xticks(range(len(names)), names, rotation=30 if len(names) > 6 else 0)
        axes.set_xlabel("weights randomised from the output down to")
        axes.set_ylabel("rank correlation")
        axes.set_ylim(-0.6, 1.05)
        axes.legend(frameon=False)

    note = "Similarity of the maps to those of the trained network. A high curve reflects edges, not the model."
    return titled(chart(draw), "Sanity check" + (f" at {layer}" if layer else ""), note)

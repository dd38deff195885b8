"""Attribution maps of networks with random weights: which parts to randomise, and what the result means."""

from typing import Any

import numpy as np
from torch import nn

from convscope.analysis.layout import chart, titled
from convscope.explain import CascadingRandomisation

LEFT = 0.5  # correlation that random weights may leave: more, and the maps come from the image rather than the network


def parts(model: nn.Module) -> list[str]:
    """The parts of a network that have weights, from the output down: its children, and what its sequences hold."""
    found: list[str] = []
    for name, child in model.named_children():
        inside = isinstance(child, nn.Sequential | nn.ModuleList)
        found += [f"{name}.{one}" for one, _ in child.named_children()] if inside else [name]
    return [name for name in reversed(found) if any(True for _ in model.get_submodule(name).parameters())]


def verdict(method: str, found: CascadingRandomisation) -> str:
    """What the correlation that is left says of an attribution method."""
    left = float(found.correlations[-1].mean())
    if left <= LEFT:
        return f"{method}: correlation {left:.2f} once all weights are random: its maps depend on what was learned"
    return (
        f"{method}: correlation {left:.2f} once all weights are random, more than {LEFT}: "
        "much of its maps comes from the image alone; do not read them as explanations"
    )


def sanity_sheet(found: dict[str, CascadingRandomisation], layer: str) -> np.ndarray:
    """A curve for each attribution method: its correlation as more and more weights are random."""

    def draw(axes: Any) -> None:
        for method, one in found.items():
            axes.plot([1.0, *one.correlations.mean(1)], marker=".", label=method.replace("_", " "))
        axes.axhline(LEFT, color="#808890", linewidth=1, linestyle=":")
        names = ["none", *next(iter(found.values())).layers]
        axes.set_xticks(range(len(names)), names, rotation=30 if len(names) > 6 else 0)
        axes.set_xlabel("with random weights, from the output down to")
        axes.set_ylabel("rank correlation")
        axes.set_ylim(-0.6, 1.05)
        axes.legend(frameon=False)

    note = "Similarity of the maps to those of the trained network. A high curve reflects edges, not the model."
    return titled(chart(draw), "Sanity check" + (f" at {layer}" if layer else ""), note)

"""Draw every activation that a network can choose, with its gradient: docs/reference/activations.png.

python docs/reference/make_activations.py
"""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from convscope.models.components import ACTIVATIONS

COLUMNS = 4


def main() -> None:
    """One panel for each; the gradient is autograd's."""
    shown = {name: make() for name, make in ACTIVATIONS.items()}
    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(-(-len(shown) // COLUMNS), COLUMNS, sharex=True, sharey=True)
    for axes, (name, function) in zip(panels.flat, shown.items(), strict=False):
        x = torch.linspace(-4, 4, 801, requires_grad=True)
        y = function(x)
        y.sum().backward()
        axes.axhline(0, color="#808890", linewidth=0.6)
        axes.axvline(0, color="#808890", linewidth=0.6)
        axes.plot(x.detach(), y.detach(), color="#5b8def", label="function")
        axes.plot(x.detach(), x.grad, color="#f2994a", linestyle="--", label="gradient")
        axes.set_title(name)
        axes.set_ylim(-1.4, 2.4)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panels.flat[0].legend(frameon=False, loc="upper left")
    figure.savefig(Path(__file__).parent / "activations.png", dpi=80)


if __name__ == "__main__":
    main()

"""Whether heat maps mean anything: random weights must change them."""

from typing import Any

import numpy as np
import torch
from torch import nn

from convscope.analysis.attribution import attribution, chosen_maps
from convscope.analysis.layout import chart, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_images, probabilities
from convscope.analysis.settings import SanitySettings
from convscope.analysis.target import AnalysisTarget
from convscope.explain import CascadingRandomisation, cascade
from convscope.progress import Progress

LEFT = 0.5  # correlation that random weights may leave: more, and the maps come from the image rather than the network


def randomisation_test(subject: AnalysisTarget, settings: SanitySettings, on_progress: Progress) -> Findings:
    """How much of each kind of map is left when the weights are random, layer by layer from the output."""
    images = chosen_images(subject, settings.images, settings.split, settings.each, settings.most, settings.seed)
    x = subject.input(images)
    targets = torch.from_numpy(subject.task.predicted_class(probabilities(subject, images)))
    jobs = dict(chosen_maps(subject, settings, x))  # of several layers, the last
    found: dict[str, CascadingRandomisation] = {}
    for place, (how, layer) in enumerate(jobs.items()):

        def explain(net: nn.Module, job: tuple[str, str] = (how, layer)) -> np.ndarray:
            return attribution(net, x, job, targets, settings).maps

        found[how] = cascade(
            subject.model, explain, parts(subject.model), settings.draws, settings.seed,
            on_progress=_after(on_progress, place * settings.draws, len(jobs) * settings.draws),
        )  # fmt: skip
    layer = next(filter(None, jobs.values()), "")
    numbers = {"images": images.names, "layer": layer, "methods": {how: one.to_json() for how, one in found.items()}}
    return Findings(
        {"sanity": _sanity_sheet(found, layer)}, numbers, tuple(_verdict(how, one) for how, one in found.items())
    )


def parts(model: nn.Module) -> list[str]:
    """The parts of a network that have weights, from the output down: its children, and what its sequences hold."""
    found: list[str] = []
    for name, child in model.named_children():
        inside = isinstance(child, nn.Sequential | nn.ModuleList)
        found += [f"{name}.{one}" for one, _ in child.named_children()] if inside else [name]
    return [name for name in reversed(found) if any(True for _ in model.get_submodule(name).parameters())]


def _after(on_progress: Progress, before: int, whole: int) -> Progress:
    return lambda done, _of: on_progress(before + done, whole)


def _verdict(how: str, found: CascadingRandomisation) -> str:
    left = float(found.correlations[-1].mean())
    if left <= LEFT:
        return f"{how}: correlation {left:.2f} once all weights are random: its maps come from what was learnt"
    return (
        f"{how}: correlation {left:.2f} once all weights are random, more than {LEFT}: "
        "much of its maps comes from the image alone; do not take them for reasons"
    )


def _sanity_sheet(found: dict[str, CascadingRandomisation], layer: str) -> np.ndarray:
    def draw(axes: Any) -> None:
        for how, one in found.items():
            axes.plot([1.0, *one.correlations.mean(1)], marker=".", label=how.replace("_", " "))
        axes.axhline(LEFT, color="#808890", linewidth=1, linestyle=":")
        names = ["none", *next(iter(found.values())).layers]
        axes.set_xticks(range(len(names)), names, rotation=30 if len(names) > 6 else 0)
        axes.set_xlabel("with random weights, from the output down to")
        axes.set_ylabel("rank correlation")
        axes.set_ylim(-0.6, 1.05)
        axes.legend(frameon=False)

    note = "How alike the maps are to those of the trained network. A line that stays high draws edges, not reasons."
    return titled(chart(draw), "Sanity check" + (f" at {layer}" if layer else ""), note)

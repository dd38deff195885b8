"""Sanity check of attribution methods: maps of a network with random weights must differ."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.analysis.methods.attribution import AttributionName
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class SanitySettings(ImageSettings, frozen=True):
    """Settings of `sanity`."""

    layers: tuple[str, ...] = setting(
        (), "Layers of class maps.", auto="the deepest stage of at least 4 x 4", widget="layers"
    )
    channels: tuple[int, ...] = setting((), "Only these channels' part of class maps.", auto="all", widget="channels")
    method: tuple[AttributionName, ...] = setting(("grad_cam", "layer_cam", "input_gradients"), "Attribution methods.")
    draws: int = setting(5, "Number of random networks to average over.", ge=1, le=1000)
    max_images: int = setting(16, "Total number of images, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: SanitySettings, on_progress: Progress) -> "Findings":
    """Compare the maps to those of networks with weights randomised layer by layer from the output."""
    import numpy as np
    import torch

    from convscope.analysis.attribution_maps import attribution, chosen_maps
    from convscope.analysis.randomisation import parts, sanity_sentence, sanity_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import probabilities, select_images
    from convscope.explainers import cascade

    images = select_images(target, settings)
    x = target.input(images)
    classes = torch.from_numpy(target.task.predicted_class(probabilities(target, images)))
    jobs = dict(chosen_maps(target, settings.method, settings.layers, settings.channels, x))  # the last layer of each
    found = {}
    for index, job in enumerate(jobs.items()):

        def explain(network: torch.nn.Module, job: tuple[str, str] = job) -> np.ndarray:
            return attribution(network, x, job, classes, settings.channels, settings.seed).maps

        def report(done: int, _of: int | None, before: int = index) -> None:
            on_progress(before * settings.draws + done, len(jobs) * settings.draws)

        found[job[0]] = cascade(
            target.model, explain, parts(target.model), settings.draws, settings.seed, on_progress=report
        )
    layer = next(filter(None, jobs.values()), "")
    numbers = {"images": images.names, "layer": layer, "methods": {name: one.to_json() for name, one in found.items()}}
    summary = tuple(sanity_sentence(name, one) for name, one in found.items())
    return Findings({"sanity": sanity_sheet(found, layer)}, numbers, summary)


METHOD = Method(
    name="sanity",
    title="Sanity check",
    summary="Whether attribution maps depend on the trained weights: random weights must change them.",
    limitations="Limitations: passing is necessary, not sufficient.",
    settings=SanitySettings,
    run=run,
    task_with_classes=True,
)

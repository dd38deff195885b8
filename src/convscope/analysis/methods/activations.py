"""Activation maps: the response of every channel to an image."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class ActivationsSettings(ImageSettings, frozen=True):
    """Settings of `activations`."""

    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="some of each class", widget="image"
    )


def run(target: "AnalysisTarget", settings: ActivationsSettings, on_progress: Progress) -> "Findings":
    """Draw the map of every channel for each image and layer; channels that are zero everywhere are crossed out."""
    import numpy as np

    from convscope.analysis.maps import activation_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_layers, select_images
    from convscope.explainers import activations

    images = select_images(target, settings)
    x = target.input(images)
    layers = chosen_layers(target, settings.layers, x)
    found = activations(target.model, x, layers)
    pictures, summary = {}, []
    for done, layer in enumerate(layers, 1):
        for index in range(len(images)):
            pictures[f"{layer}.{index}"] = activation_sheet(target, images, index, found[layer], settings.channels)
        empty = found[layer].empty
        always_empty = np.flatnonzero(empty.all(0))
        summary.append(
            f"{layer}: {100 * empty.mean():.0f} % of its {empty.shape[1]} channels are empty for an image on average, "
            f"{len(always_empty)} for all {len(images)}"
        )
        on_progress(done, len(layers))
    numbers = {"images": images.names, "layers": [one.to_json() for one in found.values()]}
    return Findings(pictures, numbers, tuple(summary))


METHOD = Method(
    name="activations",
    title="Activation maps",
    summary="The activation map of every channel for an image; channels that are zero everywhere are crossed out.",
    limitations="Limitations: a channel that is empty for one image may be the one that matters for another.",
    settings=ActivationsSettings,
    run=run,
    quick=True,
)

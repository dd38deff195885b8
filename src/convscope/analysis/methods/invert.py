"""Inversion: which information about an image a layer preserves."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class InvertSettings(ImageSettings, frozen=True):
    """Settings of `invert`."""

    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="some of each class", widget="image"
    )
    channels: tuple[int, ...] = setting((), "Only these channels are matched.", auto="all", widget="channels")
    steps: int = setting(512, "Number of optimisation steps.", ge=1, le=100_000)
    max_images: int = setting(3, "Total number of images, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: InvertSettings, on_progress: Progress) -> "Findings":
    """Draw each image next to its reconstruction from every layer."""
    from convscope.analysis.inversion import inversion_sentence, inversion_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_layers, select_images
    from convscope.explainers import InversionSettings, invert

    images = select_images(target, settings)
    x = target.input(images)
    goals = dict.fromkeys(chosen_layers(target, settings.layers, x), settings.channels)
    optimisation = InversionSettings(steps=settings.steps, seed=settings.seed)
    found = invert(target.model, x, goals, target.space, optimisation, on_progress)
    numbers = {"images": images.names, "layers": [one.to_json() for one in found]}
    sheet = inversion_sheet(target, images, found)
    return Findings({"invert": sheet}, numbers, tuple(map(inversion_sentence, found)))


METHOD = Method(
    name="invert",
    title="Inversion",
    summary="Information preserved by each layer: an image optimised from noise until the activations match.",
    limitations="Limitations: it is one of many images with the same activations; one that did not converge (!) "
    "shows nothing.",
    settings=InvertSettings,
    run=run,
)

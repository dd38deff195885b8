"""Inversion: what a layer has kept of an image."""

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
    channels: tuple[int, ...] = setting((), "Only these channels have to match.", auto="all", widget="channels")
    steps: int = setting(512, "Number of optimisation steps.", ge=1, le=100_000)
    max_images: int = setting(3, "Number of images in all, where none are named.", ge=1)


def run(target: "AnalysisTarget", settings: InvertSettings, on_progress: Progress) -> "Findings":
    """One sheet: each image beside its reconstruction from every layer."""
    from convscope.analysis.inversion import inversion_sentence, inversion_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_layers, select_images
    from convscope.explain import InversionSettings, invert

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
    summary="What each layer keeps of an image: an image optimised from noise until the layer's activations match.",
    limitations="Limitations: it is one image of many that the layer cannot tell apart; a search that failed (!) "
    "says nothing.",
    settings=InvertSettings,
    run=run,
)

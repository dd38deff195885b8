"""Activation maximisation: images optimised to maximise a channel, neuron, layer or direction."""

from typing import TYPE_CHECKING, Literal

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.progress import Progress, part_of

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget

Objective = Literal["channel", "neuron", "layer", "direction"]
Parameterisation = Literal["fourier", "pixel"]


class MaximiseSettings(MethodSettings, frozen=True):
    """Settings of `maximise`."""

    images: tuple[str, ...] = setting(
        (), "Real images to compare with; of a direction, its classes.", auto="512 of the split", widget="images"
    )
    objective: Objective = setting(
        "channel",
        "channel, neuron (at the centre of its map), layer (the whole layer), or direction (from the mean of all "
        "images to that of a class).",
    )
    steps: int = setting(256, "Number of optimisation steps.", ge=1, le=100_000)
    size: int | None = setting(None, "Side of the images in pixels.", auto="the network's", ge=4, le=2048)
    parameterisation: Parameterisation = setting("fourier", "fourier, or pixel: independent pixels, noisier.")
    copies: int = setting(1, "Images per channel, optimised to differ.", ge=1, le=64)
    split: Split = setting("train", "Split that real images come from.")
    per_class: int | None = setting(None, "Number of images per class, or per entry of images.", auto="up to 512", ge=1)


def run(target: "AnalysisTarget", settings: MaximiseSettings, on_progress: Progress) -> "Findings":
    """Draw, per layer, the optimised images next to the real patches that activate their channel most."""
    from convscope.analysis.feature_visualization import (
        REAL,
        maximise_targets,
        maximised_sentence,
        maximised_sheet,
        optimisation_settings,
        sample_images,
        some_images,
        without_history,
    )
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_images, chosen_layers

    layers = chosen_layers(target, settings.layers, target.input(sample_images(target)))
    if settings.images and settings.objective != "direction":
        real = chosen_images(target, settings.images, settings.split, settings.per_class, REAL, settings.seed)
    else:
        real = some_images(target, split=settings.split)
    optimisation = optimisation_settings(
        target, steps=settings.steps, seed=settings.seed, size=settings.size,
        parameterisation=settings.parameterisation, copies=settings.copies,
    )  # fmt: skip
    pictures, numbers, summary = {}, [], []
    for index, layer in enumerate(layers):
        chosen = settings.images if settings.objective == "direction" else settings.channels
        optimised, names = maximise_targets(
            target, layer, (settings.objective, chosen), real, optimisation, part_of(on_progress, index, len(layers))
        )
        pictures[layer] = maximised_sheet(target, real, optimised, names)
        numbers.append({**without_history(optimised), "names": names})
        summary.append(maximised_sentence(optimised))
    return Findings(pictures, {"objective": settings.objective, "layers": numbers}, tuple(summary))


METHOD = Method(
    name="maximise",
    title="Activation maximisation",
    summary="Activation maximisation: images optimised to maximise a channel, next to the real patches that "
    "activate it most.",
    limitations="Limitations: activations exceed those of real images; the appearance depends on the parameterisation.",
    settings=MaximiseSettings,
    run=run,
)

"""The first convolution's kernels, drawn as images."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class FiltersSettings(ImageSettings, frozen=True):
    """Settings of `filters`."""

    layers: tuple[str, ...] = setting((), "Convolutions by name.", auto="the first convolution", widget="layers")
    images: tuple[str, ...] = setting(
        (), "Images whose activation maps are drawn as well.", auto="none", widget="images"
    )


def run(target: "AnalysisTarget", settings: FiltersSettings, on_progress: Progress) -> "Findings":
    """Draw the kernels with their smoothness, dead ones crossed out, and optionally their activation maps."""
    from convscope.analysis.maps import activation_sheet, filter_sentence, filter_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import select_images
    from convscope.explainers import activations, filters, first_convolution

    layers = settings.layers or (first_convolution(target.model),)
    pictures, found, summary = {}, [], []
    for done, layer in enumerate(layers, 1):
        one = filters(target.model, layer)
        pictures[layer] = filter_sheet(one, settings.channels)
        found.append(one.to_json())
        summary.append(filter_sentence(one))
        on_progress(done, len(layers))
    if settings.images:
        images = select_images(target, settings)
        for layer, maps in activations(target.model, target.input(images), layers).items():
            for index in range(len(images)):
                pictures[f"{layer}.{index}"] = activation_sheet(target, images, index, maps, settings.channels)
    return Findings(pictures, {"layers": found}, tuple(summary))


METHOD = Method(
    name="filters",
    title="Filters",
    summary="The first convolution's kernels with their smoothness; dead kernels and duplicates are listed.",
    limitations="Limitations: only the first layer's kernels apply to pixels; a good 3 x 3 kernel can look like noise.",
    settings=FiltersSettings,
    run=run,
    quick=True,
)

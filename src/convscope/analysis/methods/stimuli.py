"""Top activating patches: the image patches that activate each channel most."""

from typing import TYPE_CHECKING, Any

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class StimuliSettings(MethodSettings, frozen=True):
    """Settings of `stimuli`."""

    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="the whole split", widget="images"
    )
    count: int = setting(9, "Number of patches per channel.", ge=1, le=100)
    split: Split = setting("train", "Split that the images come from.")


def run(target: "AnalysisTarget", settings: StimuliSettings, on_progress: Progress) -> "Findings":
    """Draw, per layer, a row of patches for each channel."""
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_channels, chosen_images, chosen_layers
    from convscope.analysis.top_patches import (
        CHANNELS,
        class_counts,
        patch_tiles,
        stimuli_sentence,
        stimuli_sheet,
    )
    from convscope.explainers import stimuli

    images = chosen_images(target, settings.images, settings.split, 10**9, 10**9, settings.seed)
    layers = chosen_layers(target, settings.layers, target.input(images, slice(0, 1)))
    pictures, numbers, summary = {}, [], []
    tiles: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for index, layer in enumerate(layers):

        def report(done: int, _of: int | None, before: int = index) -> None:
            on_progress(before * len(images) + done, len(layers) * len(images))

        found = stimuli(target.model, layer, target.batches(images), settings.count, report)
        channels = chosen_channels(layer, len(found.values), settings.channels, CHANNELS)
        pictures[layer] = stimuli_sheet(target, images, found, channels)
        counts = [class_counts(target, images, found, channel) for channel in range(len(found.values))]
        numbers.append({**found.to_json(), "classes": counts})
        summary.append(stimuli_sentence(target, images, found))
        rows += patch_tiles(target, images, found, channels, tiles)
    data = {"split": settings.split, "channels": rows}
    return Findings(pictures, {"images": images.names, "layers": numbers}, tuple(summary), tiles=tiles, data=data)


METHOD = Method(
    name="stimuli",
    title="Top activating patches",
    summary="The patches of your own images that activate each channel most, cropped to its receptive field.",
    limitations="Limitations: the strongest patches are extremes, and only patterns in your images can appear.",
    settings=StimuliSettings,
    run=run,
)

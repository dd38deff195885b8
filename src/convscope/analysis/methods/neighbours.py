"""Nearest neighbours: images with similar features."""

from typing import TYPE_CHECKING, Literal

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget

Projection = Literal["pca", "tsne"]


class NeighboursSettings(ImageSettings, frozen=True):
    """Settings of `neighbours`."""

    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="some of each class", widget="image"
    )
    layers: tuple[str, ...] = setting((), "Layer whose features are compared.", auto="the last stage", widget="layers")
    channels: tuple[int, ...] = setting((), "Channels that are compared.", auto="all", widget="channels")
    count: int = setting(5, "Number of neighbours per image.", ge=1, le=100)
    projection: Projection = setting("pca", "Projection of the map of the split.")
    max_images: int = setting(10, "Total number of images, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: NeighboursSettings, on_progress: Progress) -> "Findings":
    """Draw neighbours in features and in pixels, look-alikes of other classes, and a map of the split."""
    from convscope.analysis.neighbour_sheets import compare_neighbours
    from convscope.analysis.selection import chosen_layers, select_images
    from convscope.errors import ConfigError

    images, queries = target.read(settings.split), select_images(target, settings)
    images = images if len(images) else queries
    if len(images) < 3:
        raise ConfigError(f"images: {len(images)} to search for neighbours; give at least 3")
    layer = chosen_layers(target, settings.layers, target.input(images, slice(0, 1)))[-1]

    def report(done: int, _of: int | None) -> None:
        on_progress(done, len(images))

    projection = (settings.projection, settings.seed)
    found = compare_neighbours(
        target, (layer, settings.channels), (images, queries), settings.count, projection, report
    )
    found.data["split"] = settings.split
    return found


METHOD = Method(
    name="neighbours",
    title="Nearest neighbours",
    summary="Nearest neighbours in features, next to the nearest neighbours in pixel space; other classes in red; "
    "a map of the split.",
    limitations="Limitations: near-duplicates of one photo are neighbours in any features, and of training images "
    "nearly every neighbour has the same class.",
    settings=NeighboursSettings,
    run=run,
)

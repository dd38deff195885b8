"""Embedding map: the images of a split in two dimensions, by the features of a layer."""

from typing import TYPE_CHECKING

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.analysis.methods.neighbours import Projection
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class EmbeddingSettings(MethodSettings, frozen=True):
    """Settings of `embedding`."""

    layers: tuple[str, ...] = setting((), "Layer whose features are shown.", auto="the last stage", widget="layers")
    channels: tuple[int, ...] = setting((), "Channels that are compared.", auto="all", widget="channels")
    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="the whole split", widget="images"
    )
    projection: Projection = setting("pca", "pca: the plane of largest variance; tsne: preserves neighbours.")
    split: Split = setting("validation", "Split that the images come from.")
    max_images: int = setting(1000, "Number of images, evenly spaced over the split.", ge=3, le=10_000)


def run(target: "AnalysisTarget", settings: EmbeddingSettings, on_progress: Progress) -> "Findings":
    """Compute the positions of the images, in [0, 1], and draw a map of thumbnails."""
    from convscope.analysis.feature_visualization import evenly
    from convscope.analysis.neighbour_sheets import map_sheet, positions
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_images, chosen_layers
    from convscope.errors import ConfigError
    from convscope.explainers import feature_vectors

    images = evenly(
        chosen_images(target, settings.images, settings.split, 10**9, 10**9, settings.seed), settings.max_images
    )
    if len(images) < 3:
        raise ConfigError(f"images: {len(images)} selected; select at least 3")
    layer = chosen_layers(target, settings.layers, target.input(images, slice(0, 1)))[-1]

    def report(done: int, _of: int | None) -> None:
        on_progress(done, len(images))

    features = feature_vectors(target.model, layer, target.batches(images), report, settings.channels)
    points = positions(features, settings.projection, settings.seed)
    sheet = map_sheet(target, images, features, settings.projection, settings.seed)
    rows = [{"image": name, "x": x, "y": y} for name, (x, y) in zip(images.names, points.tolist(), strict=True)]
    summary = (f"{len(images):,} images of the {settings.split} split by their features in {layer}",)
    numbers = {"layer": layer, "points": rows}
    return Findings({"embedding": sheet}, numbers, summary, data={"split": settings.split, "points": rows})


METHOD = Method(
    name="embedding",
    title="Embedding map",
    summary="A map of a split: images with similar features are close to each other.",
    limitations="Limitations: two dimensions cannot preserve all distances; in t-SNE, sizes and gaps have no meaning.",
    settings=EmbeddingSettings,
    run=run,
)

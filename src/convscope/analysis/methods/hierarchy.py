"""One page from early to late layers, with the results of the other methods."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class HierarchySettings(ImageSettings, frozen=True):
    """Settings of `hierarchy`."""

    layers: tuple[str, ...] = setting(
        (), "Layer names, as convscope inspect RUN prints them.", auto="the stages", widget="layers"
    )
    count: int = setting(6, "Number of channels per layer.", ge=1, le=64)
    max_images: int = setting(6, "Total number of images, if none are named.", ge=1)
    steps: int = setting(192, "Number of optimisation steps.", ge=1, le=100_000)


def run(target: "AnalysisTarget", settings: HierarchySettings, on_progress: Progress) -> "Findings":
    """Create the page ``hierarchy.html``, which the run's report includes."""
    from convscope.analysis.hierarchy_page import page
    from convscope.analysis.selection import chosen_images

    shown = candidates = target.read(settings.split)
    if settings.images or len(candidates):
        most, each = settings.max_images, settings.per_class or 1
        shown = chosen_images(target, settings.images, settings.split, each, most, settings.seed)
    within = (settings.layers, settings.channels, settings.count)
    images = (shown, None if settings.images else candidates)
    return page(target, images, within, (settings.steps, settings.seed), on_progress)


METHOD = Method(
    name="hierarchy",
    title="Hierarchy",
    summary="One page from early to late layers: filters, top patches, feature visualisations, activation and "
    "attribution maps.",
    details="Writes hierarchy.html, which the run's report includes. Optimising the images takes minutes.",
    limitations="Limitations: a few channels of each layer are shown, evenly spaced; the others may differ.",
    settings=HierarchySettings,
    run=run,
)

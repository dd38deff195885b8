"""Architecture changes that measurements of the network suggest."""

from typing import TYPE_CHECKING

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class SuggestionsSettings(MethodSettings, frozen=True):
    """Settings of `suggestions`."""

    layers: tuple[str, ...] = setting(
        (), "Layer names, as convscope inspect RUN prints them.", auto="the stages", widget="layers"
    )
    channels: tuple[int, ...] = setting((), "Channels to analyse.", auto="all", widget="channels")
    images: tuple[str, ...] = setting(
        (), "Images on which removal costs are measured.", auto="the whole split", widget="images"
    )
    per_class: int | None = setting(None, "Number of images per class, or per entry of images.", auto="all", ge=1)
    split: Split = setting("validation", "Split that the images come from.")
    object_size: int | None = setting(
        None, "Side of your objects, in pixels of the network's images.",
        auto="that of boxes or masks, if there are any", ge=1,
    )  # fmt: skip


def run(target: "AnalysisTarget", settings: SuggestionsSettings, on_progress: Progress) -> "Findings":
    """Find dead and duplicate filters, silent channels, removable blocks, and unsuitable receptive fields."""
    from convscope.analysis.architecture_suggestions import suggest
    from convscope.analysis.selection import chosen_images
    from convscope.errors import ConfigError

    if not len(target.read("validation")):
        raise ConfigError(f"images: {target.name} has no images; suggestions need a run, or images in Python")
    evaluated = chosen_images(target, settings.images, settings.split, settings.per_class, 10**9, settings.seed)
    return suggest(target, evaluated, (settings.layers, settings.channels), settings.object_size, on_progress)


METHOD = Method(
    name="suggestions",
    title="Architecture suggestions",
    summary="What to change: dead, silent or duplicate channels, removable blocks and stages, receptive fields that "
    "do not fit.",
    limitations="Limitations: nothing is retrained, so the cost of a block is an upper bound.",
    settings=SuggestionsSettings,
    run=run,
)

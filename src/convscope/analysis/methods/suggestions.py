"""Changes of the architecture that the network's own figures suggest."""

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
    channels: tuple[int, ...] = setting((), "Channels that are judged.", auto="all", widget="channels")
    images: tuple[str, ...] = setting((), "Images on which blocks are judged.", auto="the whole split", widget="images")
    per_class: int | None = setting(None, "Number of images per class, or per entry of images.", auto="all", ge=1)
    split: Split = setting("validation", "Split that the images come from.")
    object_size: int | None = setting(
        None, "Side of your objects, in pixels of the network's images.",
        auto="that of boxes or masks, where there are any", ge=1,
    )  # fmt: skip


def run(target: "AnalysisTarget", settings: SuggestionsSettings, on_progress: Progress) -> "Findings":
    """Dead and repeated filters, silent channels, blocks and stages that cost nothing, unsuitable receptive fields."""
    from convscope.analysis.architecture_suggestions import suggest
    from convscope.analysis.selection import chosen_images
    from convscope.errors import ConfigError

    if not len(target.read("validation")):
        raise ConfigError(f"images: {target.name} comes without images; suggestions need a run, or images in Python")
    judged = chosen_images(target, settings.images, settings.split, settings.per_class, 10**9, settings.seed)
    return suggest(target, judged, (settings.layers, settings.channels), settings.object_size, on_progress)


METHOD = Method(
    name="suggestions",
    title="Architecture suggestions",
    summary="What to change: dead, silent or duplicate channels, removable blocks and stages, receptive fields that "
    "do not fit.",
    limitations="Limitations: nothing is trained again, so a block may be worth less than its cost says.",
    settings=SuggestionsSettings,
    run=run,
)

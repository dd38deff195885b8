"""The phrases on which filters of a network of texts respond most."""

from typing import TYPE_CHECKING

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class PhrasesSettings(MethodSettings, frozen=True):
    """Settings of `phrases`."""

    layers: tuple[str, ...] = setting(
        (), "A layer with maps over the text.", auto="the last stage with at least 8 positions", widget="layer"
    )
    channels: tuple[int, ...] = setting(
        (), "Channel numbers.", auto="those with the largest effect on each class", widget="channels"
    )
    most: int = setting(5, "Phrases of each filter.", ge=1, le=50)
    max_images: int = setting(5000, "Texts that are looked at.", ge=1)
    split: Split = setting("train", "Split that the texts come from.")


def run(target: "AnalysisTarget", settings: PhrasesSettings, on_progress: Progress) -> "Findings":
    """List the phrases of each filter."""
    from convscope.analysis.filter_phrases import filter_phrases, phrase_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import chosen_images
    from convscope.analysis.timelines import map_layer

    texts = chosen_images(target, settings.images, settings.split, None, settings.max_images, settings.seed)
    layer = settings.layers[0] if settings.layers else map_layer(target, texts)
    found = filter_phrases(target, texts, layer, settings.channels, settings.most)
    on_progress(1, 1)
    lines = tuple(one.described() for one in found)
    summary = (f"{layer}: the phrases on which {len(found)} filters respond most, of {len(texts):,} texts", *lines)
    numbers = {"layer": layer, "texts": len(texts), "filters": [one.to_dict() for one in found]}
    return Findings({"phrases": phrase_sheet(found, layer)}, numbers, summary)


METHOD = Method(
    name="phrases",
    title="Phrases",
    summary="The phrases of the texts on which each filter responds most.",
    details="A phrase is the words that reach the filter. Example: --channels 0,3,8-11.",
    limitations="Limitations: the strongest phrases do not show on what else a filter responds.",
    settings=PhrasesSettings,
    run=run,
    rank=1,
    codes=True,
)

"""Texts with each word shaded by what it gave to the predicted class."""

from typing import TYPE_CHECKING, Literal

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class WordsSettings(ImageSettings, frozen=True):
    """Settings of `words`."""

    method: Literal["occlusion", "grad_cam"] = setting(
        "occlusion", "How the weight of a word is found: without the word, or by Grad-CAM, which has no negative ones."
    )
    layers: tuple[str, ...] = setting(
        (), "With grad_cam: a layer with maps over the text.", auto="the last one with at least 8 positions",
        widget="layer",
    )  # fmt: skip
    max_images: int = setting(6, "Total number of texts, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: WordsSettings, on_progress: Progress) -> "Findings":
    """Draw each text with its words shaded, and list the strongest words of each."""
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import predicted_records, select_images
    from convscope.analysis.word_sheets import described, word_page, word_sheet
    from convscope.analysis.word_weights import word_weights

    texts = select_images(target, settings)
    predicted, records = predicted_records(target, texts)
    layer = settings.layers[0] if settings.layers else ""
    numbers = []
    for index, (record, answer) in enumerate(zip(records, predicted, strict=True)):
        found = word_weights(target, texts.select([index]), int(answer), settings.method, layer)
        numbers.append({**record, "words": [{"word": one.word, "weight": one.weight} for one in found]})
        on_progress(index + 1, len(texts))
    return Findings(
        {"words": word_sheet(numbers)},
        {"examples": numbers},
        tuple(map(described, numbers)),
        files={"words.html": lambda path: word_page(path, numbers)},
    )


METHOD = Method(
    name="words",
    title="Words",
    summary="Texts with each word shaded by what it gave to the predicted class.",
    details="The weight of a word is the decrease of the log-odds of the predicted class when the word is replaced by "
    "an unknown one. Example: --images mistakes --per-class 8.",
    limitations="Limitations: words are left out one at a time, so one of two that say the same gets little weight.",
    settings=WordsSettings,
    run=run,
    task_with_classes=True,
    rank=1,
    codes=True,
)

"""Figures of texts with shaded words: a picture, a page, and a line."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from convscope.analysis.layout import INK, headed, stacked, titled
from convscope.datasets.inputs.text_drawing import color_of, draw_text
from convscope.files import atomic_write
from convscope.printable import printable

WIDTH, LINES = 640, 40
SHOWN = 5
"""Words of each sign in the line of a text."""
NOTE = "Red: the word supports the predicted class; blue: it opposes it. Each text is on its own scale."


def shares(one: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The words of a text, with their weights as shares of the largest one."""
    largest = max((abs(word["weight"]) for word in one["words"]), default=0.0) or 1.0
    return [(word["word"], word["weight"] / largest) for word in one["words"]]


def word_sheet(numbers: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    """(H, W, 3) the texts with their words shaded."""
    drawn = [headed(draw_text(shares(one), WIDTH, LINES), [(caption(one), "label", INK)]) for one in numbers]
    return titled(stacked(drawn), "What each word gave to the predicted class", NOTE)


def word_page(path: Path, numbers: Sequence[Mapping[str, Any]]) -> None:
    """Write the texts as a page of HTML; the weight of a word is shown where the mouse is."""
    parts = ["<!doctype html><meta charset=utf-8><title>Words</title>", f"<p>{html.escape(NOTE)}</p>"]
    for one in numbers:
        spans = [
            f'<span style="background:rgb{color_of(share)}" title="{word["weight"]:+.3f}">{_shown(text)}</span>'
            for word, (text, share) in zip(one["words"], shares(one), strict=True)
        ]
        parts.append(f"<h3>{_shown(caption(one))}</h3><p>{' '.join(spans)}</p>")
    atomic_write(path, "\n".join(parts).encode("utf-8", "replace"))


def caption(one: Mapping[str, Any]) -> str:
    """The name of a text, its predicted class, and its label if that is another one."""
    wrong = f" (label {one['truth']})" if one["truth"] not in ("", one["prediction"]) else ""
    return f"{one['name']}: predicted {one['prediction']}, {100 * one['confidence']:.0f} %{wrong}"


def described(one: Mapping[str, Any]) -> str:
    """A line with the strongest words of a text for and against the predicted class."""
    order = sorted(one["words"], key=lambda word: -abs(word["weight"]))
    supporting = [word for word in order if word["weight"] > 0]
    opposing = [word for word in order if word["weight"] < 0]
    parts = [_listed("for", supporting), _listed("against", opposing)]
    return f"{caption(one)}; {'; '.join(filter(None, parts)) or 'no word changes it'}"


def _listed(sign: str, words: Sequence[Mapping[str, Any]]) -> str:
    listed = [f"{printable(one['word'])} {one['weight']:+.2f}" for one in words[:SHOWN]]
    return f"{sign}: {', '.join(listed)}" if listed else ""


def _shown(text: str) -> str:
    return html.escape(printable(text))

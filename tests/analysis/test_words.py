"""What words gave to a class, and the phrases of filters, on a network whose answers are known by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.analysis.images import ImageSet
from convscope.analysis.registry import METHODS
from convscope.analysis.runner import explain
from convscope.analysis.target import AnalysisTarget
from convscope.analysis.word_weights import log_odds, without_words
from convscope.datasets.inputs.text import TextPreprocessing
from convscope.errors import ConfigError
from convscope.models.registry import builder

WORDS = ("good", "bad", "film")
GOOD, BAD, FILM = 2, 3, 4


@pytest.fixture
def target(tmp_path: Path) -> AnalysisTarget:
    """A network with two filters of one word: good supports pos by 3, bad supports neg by 2."""
    options = {"vocabulary": 5, "embedding": 2, "kernels": (1,), "filters": 2}
    model = builder("text_cnn")(2, **options).eval()
    with torch.no_grad():
        model.stem.embed.table.weight.zero_()
        model.stem.embed.table.weight[GOOD, 0] = 1
        model.stem.embed.table.weight[BAD, 1] = 1
        for name, value in model.named_parameters():
            if "width1" in name:
                value.copy_(torch.eye(2)[..., None] if name.endswith("weight") else torch.zeros(2))
        model.head.fc.weight.copy_(torch.tensor([[0.0, 2.0], [3.0, 0.0]]))
        model.head.fc.bias.zero_()
    codes = np.array([[FILM, GOOD, BAD, 0], [BAD, FILM, 0, 0]], np.int32)[:, None]
    texts = ImageSet(("one", "two"), np.array([1, 0]), codes, np.arange(2))
    preprocessing = TextPreprocessing(size=(4,), vocabulary=WORDS)
    return AnalysisTarget(
        "net", model, ("neg", "pos"), (0.0,), (1.0,), (4,), tmp_path / "explain", lambda _split: texts,
        preprocessing=preprocessing,
    )  # fmt: skip


def test_a_word_weighs_by_how_much_the_log_odds_fall_without_it(target: AnalysisTarget) -> None:
    x = torch.tensor([[[FILM, GOOD, BAD, 0]]])
    places = [range(1), range(1, 2), range(2, 3)]
    np.testing.assert_allclose(without_words(target.model, x, places, 1), [0, 3, -2], atol=1e-6)
    assert log_odds(torch.tensor([[0.0, 1.0, 1.0]]), 1).item() == pytest.approx(1 - np.log(1 + np.e))


def test_words_are_drawn_written_as_a_page_and_listed(target: AnalysisTarget) -> None:
    found = explain(target, "words")
    assert found.summary == (
        "two: predicted neg, 88 %; for: bad +2.00",
        "one: predicted pos, 73 %; for: good +3.00; against: bad -2.00",
    )
    assert found.numbers["examples"][1]["words"] == [
        {"word": "film", "weight": 0.0}, {"word": "good", "weight": 3.0}, {"word": "bad", "weight": -2.0},
    ]  # fmt: skip
    png, page = found.pictures
    with Image.open(png) as picture:
        assert picture.width > 400
    assert '<span style="background:rgb(214, 96, 77)" title="+3.000">good</span>' in page.read_text()


def test_grad_cam_lies_on_the_supporting_word(target: AnalysisTarget) -> None:
    (one,) = explain(target, "words", {"method": "grad_cam", "images": ["one"], "layers": ["stages.0"]}).numbers[
        "examples"
    ]
    weights = {word["word"]: word["weight"] for word in one["words"]}
    assert weights["good"] > 0
    assert (weights["film"], weights["bad"]) == (0, 0)


def test_a_filter_is_listed_with_its_phrases_and_its_class(target: AnalysisTarget) -> None:
    found = explain(target, "phrases", {"layers": ["stages.0"]})
    assert found.summary == (
        "stages.0: the phrases on which 2 filters respond most, of 2 texts",
        "filter 1, for neg: 'bad' 1.00",
        "filter 0, for pos: 'good' 1.00",
    )
    with pytest.raises(ConfigError) as caught:
        explain(target, "phrases", {"layers": ["head"]})
    assert str(caught.value) == "layers: head has no maps over the text; name a convolution or a stage"


def test_methods_of_series_and_images_refuse_texts(target: AnalysisTarget) -> None:
    held = f"{target.home.parent} holds texts; use explain words or phrases"
    for method, wanted in (("timeline", "series"), ("attribution", "images")):
        with pytest.raises(ConfigError) as caught:
            explain(target, method)
        assert str(caught.value) == f"explain {method} is for {wanted}, and {held}"
    assert METHODS["words"].codes


def test_texts_are_needed(target: AnalysisTarget) -> None:
    other: Any = AnalysisTarget(
        "net", target.model, (), (0.0,), (1.0,), (4,), target.home, target.read
    )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        explain(other, "words")
    assert str(caught.value).startswith("explain words is for texts, and ")

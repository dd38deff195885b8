"""Scores of transformed images."""

import json
import shutil
from xml.etree import ElementTree

import pytest
import torch

from convscope.api import evaluate, robustness
from convscope.api.robustness import AMOUNTS, TransformedInput, matrix_of
from convscope.datasets.augment.geometric import warp
from convscope.errors import ConfigError
from convscope.layouts import draw_shapes
from helpers.small_runs import train


def test_untransformed_images_have_the_validation_score_and_the_curves_are_written(finished, tmp_path):
    path = shutil.copytree(finished, tmp_path / "run")
    found = robustness(path).scores
    assert [(one.move, one.amount) for one in found] == [(m, a) for m, amounts in AMOUNTS.items() for a in amounts]
    still = {one.score for one in found if (one.move, one.amount) in (("shift", 0), ("rotate", 0), ("scale", 1))}
    assert still == {evaluate(path)["accuracy"]}
    assert json.loads((path / "robustness.json").read_text())[0] == {
        "move": "shift", "amount": 0.0, "score": found[0].score,
    }  # fmt: skip
    assert ElementTree.parse(path / "robustness.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_images_are_moved_as_their_matrices_say():
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    shifted = warp(x, matrix_of("shift", 2 / 9, 9)[None])
    assert shifted[0, 0, 4].argmax() == 6
    x[0, 0, 4, 4], x[0, 0, 4, 7] = 0, 1
    turned = warp(x, matrix_of("rotate", 90, 9)[None])
    assert turned.flatten().argmax() in (1 * 9 + 4, 7 * 9 + 4)
    larger = warp(x, matrix_of("scale", 4 / 3, 9)[None])
    assert larger[0, 0, 4].argmax() == 8
    assert torch.equal(TransformedInput(torch.nn.Identity(), matrix_of("scale", 1, 9))(x), x)


@pytest.mark.usefixtures("no_report")
def test_a_task_with_spatial_predictions_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr("convscope.layouts.builtin.draw_shapes", lambda _count, seed: draw_shapes(100, seed))
    path = tmp_path / "run"
    train(path, "shapes", task="localise", train__epochs=1, data__size=32)
    with pytest.raises(ConfigError) as caught:
        robustness(path)
    assert str(caught.value) == (
        f"robustness: the task of {path} is localise, whose targets change with the image; "
        "give a run of classify or multilabel"
    )

"""Representations of results: text in a console, escaped HTML in a notebook, truncated where long."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convscope as cs
from convscope.api import FailedFile, Predictions
from convscope.api.augment import AugmentedImages
from convscope.api.baselines import BaselineRun, Baselines
from convscope.api.compare import ComparedRun
from convscope.api.data import DataSummary
from convscope.api.robustness import RobustnessScore
from convscope.runs.recipe import AugmentSettings
from convscope.tasks import Classify
from helpers.small_runs import photos

EVALUATION = cs.results.Evaluation(
    Path("runs/a-1"), "test", 1200, 7, "1", {"loss": 0.25, "accuracy": 0.9}, "accuracy", (0.88, 0.92), 2
)
BAD = "<script>"


def test_an_evaluation_is_a_mapping_of_scores():
    assert EVALUATION["accuracy"] == 0.9
    assert dict(EVALUATION) == {"loss": 0.25, "accuracy": 0.9}
    with pytest.raises(KeyError) as caught:
        EVALUATION["acuracy"]
    assert caught.value.args == ("no score acuracy; did you mean accuracy?",)
    assert EVALUATION.to_dict() == {
        "split": "test", "images": 1200, "epoch": 7, "tta_views": "1", "loss": 0.25, "accuracy": 0.9,
        "interval": [0.88, 0.92], "test_evaluations": 2,
    }  # fmt: skip


def test_an_evaluation_shows_split_and_scores():
    assert repr(EVALUATION) == (
        "Evaluation(test, 1,200 images, epoch 7: loss=0.2500, accuracy=0.9000 (0.8800 to 0.9200))"
    )
    assert "<td>0.9000</td>" in EVALUATION._repr_html_()


def predictions(count: int) -> Predictions:
    task = Classify(("cat", BAD))
    logits = __import__("torch").tensor([[2.0, 0.0]] * count)
    from convscope.tasks import ViewTransform

    frames = [ViewTransform(f"{i}.png", (8, 8), 0.0, 0.0, 8.0, 8.0) for i in range(count)]
    return Predictions(task, (*task.predictions(logits, frames), FailedFile("x.png", "the file is empty")))


def test_predictions_are_a_sequence_that_shows_its_first_items(tmp_path):
    found = predictions(1)
    assert repr(found) == (
        "Predictions(2 files, 1 failed)\n  0.png: cat 88.1 %, <script> 11.9 %\n  x.png: failed: the file is empty"
    )
    assert repr(predictions(6)).splitlines()[-1] == "  ... and 2 more"
    assert found[0].label == "cat"
    assert found[:1].items == found.items[:1]
    assert found.failed == (found[1],)
    assert found.to_dicts()[1] == {"file": "x.png", "error": "the file is empty"}
    assert found.to_csv(tmp_path / "p.csv").read_text().splitlines()[0] == f"file,label,confidence,cat,{BAD}"
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 2
    assert BAD not in found._repr_html_()


def test_a_comparison_is_a_table_with_warnings():
    row = ComparedRun("runs/a-1", "resnet18", 0.91234, 0.9, 0.92, 11_000, 4, 75.0, 1.25)
    comparison = cs.results.Comparison((row, replace(row, run=BAD)), ("x < y",))
    assert repr(comparison) == (
        "Comparison\n"
        "run       network   accuracy  95 % interval   parameters  epochs  time        energy\n"
        "runs/a-1  resnet18  91.23 %   90.0 to 92.0 %  11,000      4       1 min 15 s  1.2 Wh\n"
        "<script>  resnet18  91.23 %   90.0 to 92.0 %  11,000      4       1 min 15 s  1.2 Wh\n"
        "! x < y"
    )
    assert comparison.best == row
    assert BAD not in comparison._repr_html_()


def test_features_show_their_size_and_scores():
    found = cs.results.Features(
        Path(BAD), ("a", "b"), np.zeros((2, 512), np.float32), {"linear probe": 0.5}, [(10, 0.4), (20, 0.5)], 0.55, ()
    )
    assert repr(found) == (
        "Features(2 images x 512 channels in '<script>')\nclassifier    validation accuracy\nlinear probe  50.00 %"
    )
    assert found.learning_curve() == (
        "linear probe: 40.0 % after 10, 50.0 % after 20 images; twice as many would likely give about 55.0 %"
    )
    assert BAD not in found._repr_html_()


def test_robustness_is_a_table_and_its_chart(tmp_path):
    chart = tmp_path / "robustness.svg"
    chart.write_text("<svg></svg>")
    found = cs.results.Robustness(Path("runs/a-1"), "accuracy", (RobustnessScore("rotate", -90.0, 0.5),), chart)
    assert repr(found) == ("Robustness('runs/a-1')\ntransformation  amount  accuracy\nrotate          -90     0.5000")
    assert found._repr_html_().startswith("<svg></svg><table>")
    assert found.to_dicts() == [{"move": "rotate", "amount": -90.0, "score": 0.5}]


def test_baselines_are_a_table():
    found = Baselines((BaselineRun("majority", 0, 0.5, 1.0, 0),), Path("compare.svg"))
    assert repr(found) == (
        "Baselines\n"
        "recipe    accuracy  95 % interval over seeds  time   parameters  seeds\n"
        "majority  50.0 %                              1.0 s              1"
    )


def test_augmented_images_show_the_policy():
    sheet = AugmentedImages(Image.new("RGB", (20, 10)), AugmentSettings(policy="light", mirror=True))
    assert repr(sheet) == "AugmentedImages(policy light, flipped; 20 x 10 pixels)"
    assert sheet._repr_html_().startswith('<img src="data:image/png;base64,')


def test_a_model_summary_shows_totals_and_as_html_its_layers():
    summary = cs.inspect("lenet")
    assert repr(summary) == "ModelSummary('lenet', input 1x32x32: 14 layers, 61,706 parameters, 416,520 MACs)"
    assert summary._repr_html_().count("<tr>") == len(summary.layers) + 2


def test_a_convolution_shows_its_shapes_and_few_values():
    assert repr(cs.convolve([[1, 2], [3, 4]], [[1, 0], [0, 1]])) == (
        "Convolution(image 2 x 2, kernel 2 x 2, stride 1, output 1 x 1)\n       5"
    )
    assert repr(cs.convolve(np.zeros((20, 20)), "edge")) == (
        "Convolution(image 20 x 20, kernel 3 x 3, stride 1, output 18 x 18)"
    )


def test_data_are_summarised_as_training_prints_them(tmp_path, capsys):
    folder = photos(tmp_path / "photos", each=20)
    (folder / "a" / "broken.png").write_bytes(b"no image")
    summary = cs.data(folder)
    assert isinstance(summary, DataSummary)
    printed = repr(summary).splitlines()[1:]
    cs.train(folder, out=tmp_path / "run", epochs=1, settings={"model.options": {"width": 4, "depths": [1, 1]}})
    assert capsys.readouterr().out.splitlines()[: len(printed)] == printed
    assert summary.skipped == (
        ("a/broken.png", "not an image in a supported format; convert it to PNG or JPEG, or delete it"),
    )
    assert summary.to_dict() == cs.Run(tmp_path / "run").folder.data()["summary"]
    assert summary._repr_html_().startswith(
        "<table><thead><tr><th>property</th><th>value</th></tr></thead><tbody><tr><td>source</td>"
    )

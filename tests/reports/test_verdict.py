"""The first part of the report, on a finished run of digits and on tasks without one class per image."""

import re

import numpy as np
import pytest
import torch

from convscope.api import RunFolder
from convscope.reports.verdict import usage, verdict
from convscope.runs.predictions import load_predictions
from convscope.tasks import Classify, Localise, Multilabel, Regress, Segment


@pytest.fixture(scope="module")
def sentences(finished):
    folder = RunFolder(finished)
    return dict(verdict(folder, load_predictions(folder, "validation"), []))


def test_the_verdict_says_what_the_network_does_and_how_well_against_no_network(finished, sentences):
    assert re.fullmatch(
        r"\w+ with [\d,]+ parameters predicts one of 10 classes for each image: 0, 1, 2, 3, 4, ...\.",
        sentences["What it does"],
    )
    scores = load_predictions(RunFolder(finished), "validation").meter.scores()
    assert sentences["How well"].startswith(f"Accuracy {100 * scores['accuracy']:.2f} % on 180 validation images (95 %")
    assert "Without looking at the images (always " in sentences["How well"]


def test_the_verdict_names_the_worst_mistake_and_the_most_frequent_one(finished, sentences):
    stored = load_predictions(RunFolder(finished), "validation")
    errors, counts = stored.task.image_errors(stored.meter), stored.task.confusion(stored.meter)
    worst = stored.names[int(np.argmax(errors.values))]
    assert (
        f"{errors.wrong.sum()} of 180 validation images are mistakes; the worst is {worst} ("
        in (sentences["Where it fails"])
    )
    most = (counts - np.diag(counts.diagonal())).max()
    assert f"({most} of " in sentences["Where it fails"]


def test_without_findings_the_next_step_is_the_test_split(sentences):
    assert sentences["What to do next"] == "Evaluate it once on the test split: that score is the one to report."
    assert "The validation images also chose the best of 2 epochs" in sentences["Limits"]


def test_the_three_lines_of_the_usage_run_as_python(finished):
    lines = usage(RunFolder(finished)).splitlines()
    assert lines[0] == "import convscope as cs"
    assert len(lines) == 3
    compile("\n".join(lines), "usage", "exec")


def metered(task, outputs, targets):
    meter = task.meter()
    meter.add(torch.as_tensor(outputs), torch.as_tensor(targets))
    return meter


def test_the_score_without_looking_at_the_images_is_worked_out_by_task():
    classes = Classify(("a", "b"))
    assert classes.trivial_score(metered(classes, torch.zeros(4, 2), [1, 1, 1, 0])) == ("always b", 0.75)
    numbers = Regress(("age",), (5.0,), (2.0,))
    name, score = numbers.trivial_score(metered(numbers, torch.zeros(2, 1), torch.tensor([[4.0], [6.0]])))
    assert (name, score) == ("always the mean", pytest.approx(0.0))
    labels = Multilabel(("a", "b"))
    targets = torch.tensor([[1.0, 1], [0, 1], [0, 1], [1, 1]])
    assert labels.trivial_score(metered(labels, torch.zeros(4, 2), targets)) == (
        "the same labels for every image",
        0.75,
    )
    masks = Segment(("ground", "cell"))
    found = masks.trivial_score(metered(masks, torch.zeros(1, 2, 2, 2), [[[0, 0], [0, 1]]]))
    assert found == ("every pixel ground", pytest.approx(0.75 / 2))
    boxes = Localise(("a", "b"), (8, 8))
    assert boxes.trivial_score(None) is None


def test_scores_have_names_that_can_be_read():
    assert Localise.score_name("both") == "class and box right"
    assert Segment.score_name("miou") == "mean IoU"
    assert Classify.score_name("accuracy") == "accuracy"

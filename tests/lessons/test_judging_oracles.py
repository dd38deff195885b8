"""Answers about judging and building networks against scikit-learn, PyTorch and real networks."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics
from torch import nn

from convscope.lessons import TOPICS
from convscope.lessons.assembly import NetworkAnswer
from convscope.lessons.exercise import make
from helpers.lesson_oracles import disagreements


def labels(given):
    matrix = np.array(given["matrix"])
    true, predicted = (np.repeat(index.flatten(), matrix.flatten()) for index in np.indices(matrix.shape))
    return true, predicted


def of_class(score):
    return lambda given: score(*labels(given), labels=[given["class"]], average=None)


def linear(inputs, outputs):
    return sum(one.numel() for one in nn.Linear(inputs, outputs).parameters())


def stopped(given):
    best, epoch = float("inf"), 0
    for number, loss in enumerate(given["validation"], 1):
        if loss < best:
            best, epoch = loss, number
        if number - epoch == given["patience"]:
            return number
    raise AssertionError("it never ends")


ORACLES = {
    "confusion-matrix": {
        "accuracy": lambda g: metrics.accuracy_score(*labels(g)),
        "recall": of_class(metrics.recall_score),
        "precision": of_class(metrics.precision_score),
        "f1": of_class(metrics.f1_score),
        "balanced": lambda g: metrics.balanced_accuracy_score(*labels(g)),
    },
    "overfitting": {
        "best_epoch": lambda g: int(np.argmin(g["validation"])) + 1,
        "gap": lambda g: g["validation"][g["epoch"]] - g["train"][g["epoch"]],
        "early_stopping": stopped,
        "rise": lambda g: round(100 * (g["validation"][-1] / min(g["validation"]) - 1), 1),
    },
    "transfer": {
        "last_layer": lambda g: linear(g["features"], g["classes"]),
        "several_layers": lambda g: (
            linear(g["inputs"], g["hidden"]) + linear(g["hidden"], g["hidden"]) + linear(g["hidden"], g["classes"])
        ),
        "share": lambda g: 1 - g["frozen"] / (g["frozen"] + linear(g["features"], g["classes"])),
        "layer_rates": lambda g: float(
            Fraction(1, 100) * Fraction(g["factor"]) * Fraction(g["decay"]) ** (g["stages"] - 1)
        ),
    },
}


@pytest.mark.parametrize("topic", ORACLES)
def test_answers_agree_with_other_libraries(topic):
    assert disagreements(topic, ORACLES[topic], 12) == []


@pytest.mark.slow
@pytest.mark.parametrize("topic", ORACLES)
def test_answers_agree_with_other_libraries_for_many_seeds(topic):
    assert disagreements(topic, ORACLES[topic], 200 if topic == "confusion-matrix" else 1000) == []


@pytest.mark.parametrize("generator", TOPICS["assemble"].generators, ids=lambda one: one.__name__)
def test_the_example_of_a_network_has_the_figures_of_the_question(generator):
    for seed in range(3):
        one = make(generator, "assemble", seed)
        built = one.answer.read(one.given["example"])
        for name, figure in (("parameters", built.parameters), ("macs", built.macs), ("maps", list(built.maps))):
            assert one.given.get(name, figure) == figure
        assert built.outputs == one.given["classes"]
        assert built.field >= one.given.get("field", 0)


def test_what_a_network_does_not_meet_is_named_with_its_figure():
    answer = NetworkAnswer((1, 16, 16), 3, "", parameters=200, macs=9000, maps=(4, 8, 8), field=4, convolutions=1)

    def remark(text):
        return answer.remark(answer.read(text))

    assert remark("conv 4, relu, pool, gap, linear 3") == "It takes 9,228 multiplications; the most are 9,000."
    assert remark("conv 4, relu, gap, linear 3") == "Its last maps are 4x16x16; 4x8x8 are required."
    assert (
        remark("conv 4 stride 2, gap, linear 3") == "An output of its last maps sees 3 pixels; at least 4 are required."
    )
    assert remark("conv 4 size 9 stride 2, gap, linear 3") == "It has 343 parameters; the most are 200."
    assert remark("pool, gap, linear 3") == "It has 0 convolutions; at least 1 are required."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv 4, linear 3", "layer 2 (linear 3): linear needs a vector and its input is maps of 4x16x16; put flatten "
         "(1024 numbers) or gap (4) before it"),
        ("conv 4, gap", "layer 2 (gap): the output has shape 4 and there are 3 classes; end with linear 3"),
        ("cnv 4", "cnv 4: not a layer; write layers such as conv 8 size 3 stride 1, relu, pool, flatten, gap, linear "
         "10, with commas between them"),
        ("", "0 layers; write layers such as conv 8 size 3 stride 1, relu, pool, flatten, gap, linear 10, "
         "with commas between them"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_built_is_refused_with_the_layer(text, message):
    one = make(TOPICS["assemble"].generators[0], "assemble", 0)
    answer = NetworkAnswer((1, 16, 16), 3, one.answer.text())
    with pytest.raises(ValueError, match="layer") as caught:
        answer.read(text)
    assert str(caught.value) == message

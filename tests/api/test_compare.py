"""Comparison of runs."""

import pytest

from convscope.api import compare, evaluate, nest, training
from convscope.errors import ConfigError
from helpers.small_runs import train


@pytest.fixture(scope="module")
def two(few, tmp_path_factory):
    """A small residual network and a perceptron, on the same images."""
    folder = tmp_path_factory.mktemp("two")
    train(folder / "residual", few)
    plain = nest({"model.name": "mlp", "train.epochs": 2, "train.batch": 16, "train.threads": 1})
    list(training(few, folder / "mlp", plain))
    return folder / "residual", folder / "mlp"


@pytest.mark.slow
def test_the_perceptron_is_compared_with_the_network(two) -> None:
    comparison = compare(two)
    rows = comparison.runs
    assert {row.network for row in rows} == {"resnet18", "mlp"}
    assert rows[0].accuracy >= rows[1].accuracy
    assert comparison.warnings == ()
    for row in rows:
        scored = evaluate(row.run)
        assert row.accuracy == scored["accuracy"]
        assert (row.low, row.high) == scored.interval
        assert row.num_parameters > 0
        assert row.epochs > 0
        assert row.seconds > 0


def test_runs_on_other_images_are_not_compared_without_a_word(two, few, tmp_path) -> None:
    train(tmp_path / "other", few, seed=5)
    objections = compare([two[0], tmp_path / "other"]).warnings
    assert objections == (
        f"{tmp_path / 'other'} and {two[0]} have different validation images, which alone changes the accuracy; "
        "train with the same data and seed",
    )


def test_one_run_alone_is_refused(two) -> None:
    with pytest.raises(ConfigError) as caught:
        compare(two[:1])
    assert str(caught.value) == "compare: needs at least two runs; give their folders"

"""Baselines: plain classifiers, networks, the comparison in one sentence, and the chart."""

import json
import math

import numpy as np
import pytest

from convscope.api.baseline_sentences import BaselineResult, sentences
from convscope.api.baselines import BaselineRun, rank, run_baselines, write_baselines
from convscope.errors import ConfigError
from convscope.explainers import baseline_scores, word_pair_score
from helpers.small_runs import PLAIN, photos, train


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_plain_baselines_and_a_trained_encoder_are_run_on_the_same_sets(tmp_path):
    source = str(photos(tmp_path / "photos", each=30))
    train(tmp_path / "origin", source, **PLAIN)
    found = list(
        run_baselines(
            source, ["pixels", "transfer", "majority"], tmp_path / "out", str(tmp_path / "origin"), [0], "20s"
        )
    )
    assert [entry.recipe for entry in found] == ["majority", "pixels", "transfer"]
    assert found[0].accuracy == 0.5
    assert found[1].accuracy == 1.0, "bright against dark"
    assert found[2].num_parameters > 0
    picture = write_baselines(tmp_path / "out", found)
    assert picture.read_text().count("<svg") == 1
    assert [entry["recipe"] for entry in json.loads((tmp_path / "out" / "compare.json").read_text())["entries"]] == [
        "majority", "pixels", "transfer",
    ]  # fmt: skip


def test_baselines_by_hand():
    x, y = [[0.0], [1.0], [9.0]], [0, 0, 1]
    import numpy as np

    scores = baseline_scores(np.array(x), np.array(y), np.array([[0.2], [8.0]]), np.array([0, 1]))
    assert scores == {"majority": 0.5, "pixels": 1.0}


def test_means_intervals_and_the_line_by_hand():
    entries = [
        BaselineRun("transfer", 0, 0.9, 10.0, 5),
        BaselineRun("transfer", 1, 1.0, 20.0, 5),
        BaselineRun("scratch", 0, 0.5, 15.0, 9),
    ]
    first, second = rank(entries)
    assert (first.recipe, first.accuracy, first.seconds, first.seeds) == ("transfer", 0.95, 15.0, 2)
    assert first.half_interval == pytest.approx(12.706 * 0.05, rel=1e-3)
    assert math.isnan(second.half_interval)
    assert sentences([first, second]) == ["pretrained 95.0 % in 15 s, from scratch 50.0 % in 15 s"]
    assert sentences([first]) == []


def test_two_heads_are_compared_and_the_published_gain_is_quoted():
    heads = [
        BaselineResult("gap-head", 1, 0.91, math.nan, 5.0, 1000),
        BaselineResult("dense-head", 1, 0.905, math.nan, 5.0, 20000),
    ]
    assert sentences(heads) == [
        "global average pooling 91.0 % with 1,000 parameters, fully connected 90.5 % with 20,000: +0.5 points here; "
        "the authors of GoogLeNet report about +0.6 on ImageNet"
    ]


def test_a_network_that_loses_is_told_so():
    entries = [BaselineRun("scratch", 0, 0.75, 9.0, 5), BaselineRun("majority", 0, 0.5, 1.0, 0)]
    assert sentences(rank(entries)) == []
    assert sentences(rank([*entries, BaselineRun("naive-bayes", 0, 0.79, 1.0, 0)])) == [
        "no network is more accurate than naive-bayes, which needs none: 79.0 %, scratch 75.0 %; "
        "use it, or give more data"
    ]
    assert sentences(rank(entries[:1])) == []


@pytest.mark.parametrize("name", ["naive-bayes", "logistic"])
def test_pairs_of_words_decide_where_words_do_not(name):
    import numpy as np

    texts = ["not good but bad", "not bad but good"] * 4
    assert (
        word_pair_score(name, (texts, np.array([0, 1] * 4)), (["not good", "not bad"], np.array([0, 1])), str.split)
        == 1
    )


def test_runs_that_cannot_be_compared_are_rejected(tmp_path):
    with pytest.raises(ConfigError) as refused:
        list(run_baselines("digits", ["majorty"], tmp_path, None, [0], None))
    assert str(refused.value) == "--recipes majorty: no such recipe; did you mean majority?"
    with pytest.raises(ConfigError) as refused:
        list(run_baselines("digits", ["transfer"], tmp_path, None, [0], None))
    assert str(refused.value) == (
        "--recipes transfer: needs pretrained weights; give them with --from imagenet, FILE or RUN"
    )


def shuffled_results(majority, **scores):
    names = {
        "cnn": "locality cnn",
        "cnn_s": "locality cnn shuffled",
        "mlp": "locality mlp",
        "mlp_s": "locality mlp shuffled",
    }
    known = {"majority": majority, **{names[short]: score for short, score in scores.items()}}
    return [BaselineResult(name, 1, score, math.nan, 1.0, 10) for name, score in known.items()]


def test_positions_that_matter_are_distinguished_from_others_by_hand():
    figures = "with shuffled positions the convolutional network loses 38.0 points (94.0 to 56.0 %) and the MLP 0.0 "
    assert sentences(shuffled_results(0.1, cnn=0.94, cnn_s=0.56, mlp=0.68, mlp_s=0.68)) == [
        figures + "(68.0 to 68.0 %): neighbouring positions belong together in these data, and convolutions use that"
    ]
    [line] = sentences(shuffled_results(0.1, cnn=0.70, cnn_s=0.69, mlp=0.68, mlp_s=0.68))
    assert line.endswith(": no sign that neighbouring positions belong together; an MLP may do as well as convolutions")
    [line] = sentences(shuffled_results(0.5, cnn=0.55, cnn_s=0.5, mlp=0.5, mlp_s=0.5))
    assert line.endswith(": not all networks have learned yet, so this says nothing; give a larger --budget")


@pytest.mark.slow
def test_networks_on_shuffled_positions_see_the_same_values_in_another_order(tmp_path):
    entries = list(run_baselines("waves", ["locality"], tmp_path, None, [3], "2s"))
    assert [one.recipe for one in entries] == [
        "majority",
        "locality cnn",
        "locality mlp",
        "locality cnn shuffled",
        "locality mlp shuffled",
    ]
    with (
        np.load(tmp_path / "locality-3" / "as_they_are.npz") as plain,
        np.load(tmp_path / "locality-3" / "shuffled.npz") as shuffled,
    ):
        assert not np.array_equal(plain["x_train"], shuffled["x_train"])
        np.testing.assert_array_equal(np.sort(plain["x_train"]), np.sort(shuffled["x_train"]))
        np.testing.assert_array_equal(plain["y_val"], shuffled["y_val"])

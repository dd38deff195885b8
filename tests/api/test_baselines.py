"""Baselines: plain classifiers, networks, the comparison in one sentence, and the chart."""

import json
import math

import pytest

from convscope.api.baselines import BaselineRun, compare_plain, compare_pretrained, rank, run_baselines, write_baselines
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
    assert compare_pretrained([first, second]) == "pretrained 95.0 % in 15 s, from scratch 50.0 % in 15 s"
    assert compare_pretrained([first]) == ""


def test_a_network_that_loses_is_told_so():
    entries = [BaselineRun("scratch", 0, 0.75, 9.0, 5), BaselineRun("majority", 0, 0.5, 1.0, 0)]
    assert compare_plain(rank(entries)) == ""
    assert compare_plain(rank([*entries, BaselineRun("naive-bayes", 0, 0.79, 1.0, 0)])) == (
        "no network is more accurate than naive-bayes, which needs none: 79.0 %, scratch 75.0 %; "
        "use it, or give more data"
    )
    assert compare_plain(rank(entries[:1])) == ""


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

"""Feature files, and the scores of simple classifiers on them."""

import csv

import numpy as np
import pytest

from convscope.api import evaluate, features
from convscope.errors import ConfigError, DataError
from convscope.explainers import extrapolate_to_double, learning_curve, probe_scores
from helpers.small_runs import photos


def test_a_runs_vectors_are_written_three_times_alike_and_probed(finished, tmp_path):
    found = features(finished, "digits", out=tmp_path / "out")
    assert found.files == ("features.npy", "features.csv", "features.parquet")
    vectors = np.load(tmp_path / "out" / "features.npy")
    assert vectors.shape == (1797, 8)
    assert vectors.dtype == np.float32
    with (tmp_path / "out" / "features.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == list(found.names)
    assert np.allclose([[float(row[f"f{i}"]) for i in range(8)] for row in rows], vectors, rtol=1e-5)
    assert sum(row["split"] == "validation" for row in rows) == 180
    parquet = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "out" / "features.parquet").to_pydict()
    assert np.array_equal(parquet["f3"], vectors[:, 3])
    assert list(found.scores) == [
        "the network's own", "linear probe", "5 nearest neighbours", "support vector machine",
    ]  # fmt: skip


def test_the_networks_own_score_is_the_one_that_evaluate_gives(finished, tmp_path):
    found = features(finished, "digits", out=tmp_path / "out")
    assert found.scores["the network's own"] == pytest.approx(evaluate(finished)["accuracy"])


def test_other_data_are_cut_anew_and_have_no_score_of_the_networks_own(finished, tmp_path):
    found = features(finished, str(photos(tmp_path / "photos", each=20)), out=tmp_path / "out")
    assert found.vectors.shape == (40, 8)
    assert "the network's own" not in found.scores
    assert found.scores["linear probe"] == 1.0, "bright against dark"


def test_separable_classes_are_classified_and_noise_is_not():
    generator = np.random.default_rng(0)
    y = np.arange(200) % 2
    apart = generator.normal(size=(200, 5)) + 5 * y[:, None]
    assert min(probe_scores(apart[:100], y[:100], apart[100:], y[100:]).values()) > 0.9
    noise = generator.normal(size=(200, 5))
    assert max(probe_scores(noise[:100], y[:100], noise[100:], y[100:]).values()) < 0.7


def test_data_that_cannot_be_probed_are_rejected(finished, tmp_path):
    with pytest.raises(DataError) as refused:
        probe_scores(np.zeros((3, 2)), np.zeros(3, int), np.zeros((0, 2)), np.zeros(0, int))
    assert str(refused.value) == "probe: 1 classes and 0 test images; pass at least 2 classes and 1 test image"
    table = tmp_path / "numbers.csv"
    photos(tmp_path / "photos", each=10)
    table.write_text("image,age\n" + "".join(f"photos/a/{i}.png,{i}.5\n" for i in range(10)))
    with pytest.raises(ConfigError) as refused:
        features(finished, str(table), out=tmp_path / "out")
    assert (
        str(refused.value)
        == f"features: the targets of {table} are numbers, not one class per image; give data with classes"
    )


def test_a_learning_curve_grows_and_its_extension_follows_a_power_law():
    generator = np.random.default_rng(0)
    y = np.arange(800) % 2
    x = generator.normal(size=(800, 20)) + 0.5 * y[:, None]
    curve = learning_curve(x[:400], y[:400], x[400:], y[400:])
    assert [images for images, _ in curve] == [40, 100, 200, 400]
    assert curve[-1][1] > curve[0][1]
    exact = [(n, 1 - 0.5 * n**-0.5) for n in (100, 400, 1600)]
    assert extrapolate_to_double(exact, num_test=10**6) == pytest.approx(1 - 0.5 * 3200**-0.5)
    assert extrapolate_to_double([(10, 1.0), (20, 1.0)], num_test=50) == 1.0

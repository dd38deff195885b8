"""Feature maps of fixed images saved during training: bounded in size, and without effect on training."""

import json

import numpy as np
import pytest

from convscope.api import nest, training
from convscope.explainers import read_snapshots
from helpers.small_runs import same, state, train, weights


@pytest.mark.usefixtures("no_report")
def test_following_probes_changes_no_weight_and_no_random_state(few, tmp_path):
    train(tmp_path / "with", few, train__probes=4)
    train(tmp_path / "without", few, train__probes=0)
    assert weights(tmp_path / "with") == weights(tmp_path / "without")
    first, second = state(tmp_path / "with"), state(tmp_path / "without")
    assert same(first, second)
    assert not (tmp_path / "without" / "probes").exists()


def test_a_finished_run_has_a_snapshot_of_each_epoch_of_one_image_of_each_of_four_classes(finished):
    kept = json.loads((finished / "probes" / "probes.json").read_text())
    assert len(set(kept["names"])) == 4
    data = json.loads((finished / "data.json").read_text())
    assert set(kept["names"]) <= set(data["splits"]["validation"])
    found = read_snapshots(finished / "probes", kept["layers"][0])
    assert found.epochs.tolist() == [1, 2]
    assert found.maps.shape[1] == 4
    assert np.isfinite(found.maps).all()


@pytest.mark.usefixtures("no_report")
def test_a_full_disk_stops_the_snapshots_and_not_the_training(few, tmp_path, monkeypatch):
    def full(*_given, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("convscope.pipeline.probes.save_snapshot", full)
    events = train(tmp_path / "run", few, train__epochs=1)
    values = [event.text for event in events if type(event).__name__ == "Note"]
    assert values == ["the probes' feature maps were not saved (No space left on device); training continues"]
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


@pytest.mark.usefixtures("no_report")
def test_a_network_without_maps_has_no_probes(few, tmp_path):
    list(training(few, tmp_path / "run", nest({"model.name": "mlp", "train.epochs": 1, "train.threads": 1})))
    assert not (tmp_path / "run" / "probes").exists()

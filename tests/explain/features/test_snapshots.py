import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convscope import explain
from convscope.errors import DataError, ModelError
from convscope.explain import SnapshotSettings


@pytest.fixture
def model():
    return nn.Sequential(nn.Conv2d(1, 5, 3, padding=1))


@pytest.fixture
def probes():
    return torch.rand(2, 1, 12, 12)


def save_epochs(model, probes, folder, epochs, settings=None):
    """Change the network a little each epoch, save a snapshot, and return the maps of each epoch."""
    maps = []
    for epoch in epochs:
        with torch.no_grad():
            model[0].weight.add_(0.1)
        maps.append(explain.activations(model, probes, ["0"])["0"].maps)
        explain.save_snapshot(model, probes, ["0"], folder, epoch, settings)
    return np.stack(maps)


def test_n_epochs_give_n_frames_equal_to_the_maps_to_a_255th_of_their_range(model, probes, tmp_path):
    maps = save_epochs(model, probes, tmp_path, range(1, 8))
    kept = explain.read_snapshots(tmp_path, "0")
    assert kept.epochs.tolist() == list(range(1, 8))
    assert kept.maps.shape == (7, 2, 5, 12, 12)
    spread = np.ptp(maps, axis=(3, 4), keepdims=True)
    assert (np.abs(kept.maps - maps) <= spread / 510 + 1e-6).all()
    assert len(kept.to_json()["mean_change"]) == 6


def test_channels_are_chosen_evenly_and_maps_shrunk(model, probes, tmp_path):
    save_epochs(model, probes, tmp_path, [1], SnapshotSettings(channels=3, side=6))
    kept = explain.read_snapshots(tmp_path, "0")
    assert kept.channels.tolist() == [0, 2, 4]
    assert kept.maps.shape == (1, 2, 3, 6, 6)


def test_the_folder_stays_within_its_size_limit_and_covers_all_epochs(model, probes, tmp_path):
    limit = 12_000
    for epoch in range(1, 41):
        save_epochs(model, probes, tmp_path, [epoch], SnapshotSettings(most_bytes=limit))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= limit
    epochs = explain.read_snapshots(tmp_path, "0").epochs
    assert epochs[0] == 1
    assert epochs[-1] > 20
    assert len(set(np.diff(epochs))) == 1


def test_a_snapshot_larger_than_the_limit_is_not_saved(model, probes, tmp_path):
    assert not explain.save_snapshot(model, probes, ["0"], tmp_path, 1, SnapshotSettings(most_bytes=10))
    assert list(tmp_path.iterdir()) == []


def test_an_epoch_that_is_saved_again_replaces_the_first_snapshot(model, probes, tmp_path):
    maps = save_epochs(model, probes, tmp_path, [1, 2, 3, 2])
    kept = explain.read_snapshots(tmp_path, "0")
    assert kept.epochs.tolist() == [1, 2, 3]
    assert np.abs(kept.maps[1] - maps[3]).max() < 0.05


def test_strip_and_animation_contain_every_epoch(model, probes, tmp_path):
    save_epochs(model, probes, tmp_path / "maps", range(4))
    kept = explain.read_snapshots(tmp_path / "maps", "0")
    assert explain.strip(kept).shape == (5 * 14, 4 * 14)
    explain.write_gif(kept, tmp_path / "maps.gif")
    with Image.open(tmp_path / "maps.gif") as picture:
        assert picture.n_frames == 4
        assert picture.size == (3 * 13 * 4, 2 * 13 * 4)


def test_an_animation_of_constant_maps_has_every_frame(model, probes, tmp_path):
    for epoch in range(3):
        explain.save_snapshot(model, probes, ["0"], tmp_path, epoch)
    explain.write_gif(explain.read_snapshots(tmp_path, "0"), tmp_path / "maps.gif")
    with Image.open(tmp_path / "maps.gif") as picture:
        assert picture.n_frames == 3


def test_brightness_is_on_one_scale_over_all_epochs():
    maps = np.zeros((2, 1, 1, 1, 2), np.float32)
    maps[0, 0, 0, 0], maps[1, 0, 0, 0] = [0, 1], [0, 4]
    kept = explain.Snapshots("0", np.array([1, 2]), np.array([0]), maps)
    assert kept.frames().ravel().tolist() == [0, 0.25, 0, 1]


def test_error_messages(probes, tmp_path):
    with pytest.raises(DataError) as error:
        explain.read_snapshots(tmp_path, "0")
    assert str(error.value) == f"{tmp_path}: no snapshot of layer 0; train with snapshots of it enabled"
    with pytest.raises(ModelError) as vectors:
        explain.save_snapshot(nn.Sequential(nn.Flatten()), probes, ["0"], tmp_path, 1)
    assert str(vectors.value) == "layer 0: output of shape (2, 144), not maps (B, C, h, w); choose a stage"

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from convscope import explain
from convscope.errors import ConfigError, ModelError


@pytest.fixture(scope="module")
def squares(unseen):
    """The images of class 1, the masks of their squares, and their targets."""
    chosen = unseen.targets == 1
    return unseen.x[chosen], unseen.masks[chosen].numpy(), torch.ones(int(chosen.sum()), dtype=torch.int64)


METHODS = {
    "grad_cam": lambda model, x, targets: explain.grad_cam(model, x, "7", targets),
    "layer_cam": lambda model, x, targets: explain.layer_cam(model, x, "4", targets),
    "integrated_gradients": lambda model, x, targets: explain.integrated_gradients(model, x, targets),
    "occlusion": lambda model, x, targets: explain.occlusion(
        model, x, targets, explain.OcclusionSettings(window=6, stride=3)
    ),
}


@pytest.mark.parametrize("method", METHODS)
def test_maps_localise_the_square_that_determines_the_class(trained, squares, method):
    x, masks, targets = squares
    game = explain.pointing_game(METHODS[method](trained, x, targets).maps, masks)
    assert game.hits.mean() > 0.8
    assert game.energy.mean() > 3 * game.area.mean()


def test_random_weights_change_the_map(trained, squares):
    x, _, targets = squares
    progress = []
    result = explain.cascade(
        trained,
        lambda net: explain.grad_cam(net, x, "7", targets).maps,
        None,
        8,
        0,
        lambda *done: progress.append(done),
    )
    assert result.layers == ("10", "6", "3", "0")
    assert result.correlations.shape == (4, len(x))
    assert result.to_json()["all_random"] < 0.5
    assert progress[-1] == (8, 8)


def test_the_cascade_is_deterministic_for_a_seed_and_does_not_change_the_network(trained, squares):
    x, _, targets = squares
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    runs = [
        explain.cascade(trained, lambda net: explain.grad_cam(net, x, "7", targets).maps, ["10"], 1, seed).correlations
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())


def test_a_named_module_is_randomised_with_all_modules_inside_it(trained, squares):
    x, _, targets = squares
    whole = nn.Sequential(trained)
    found = explain.cascade(
        whole, lambda net: explain.grad_cam(net, x, "0.7", targets).maps, ["0"], 1
    )  # fmt: skip
    assert found.layers == ("0",)
    assert found.correlations.mean() < 0.9


def test_a_map_that_does_not_depend_on_weights_fails_the_sanity_check(trained, squares):
    x, _, _ = squares
    edges = x[:, 0].diff(dim=2).abs().numpy()
    assert explain.cascade(trained, lambda _net: edges).to_json()["all_random"] == pytest.approx(1)


def test_rank_correlation_equals_scipys_and_is_zero_for_a_constant_map():
    first, second = np.random.default_rng(0).integers(0, 4, (2, 3, 5, 5)).astype(np.float32)
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(first, second, strict=True)]
    assert np.allclose(explain.rank_correlation(first, second), expected)
    assert explain.rank_correlation(np.ones((1, 2, 2)), first[:1, :2, :2]) == 0


def test_the_pointing_game_equals_results_computed_by_hand():
    maps = np.array([[[0.0, 3.0], [1.0, -5.0]], [[2.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    masks = np.array([[[0, 1], [0, 1]], [[0, 1], [1, 1]], [[1, 1], [1, 1]]], bool)
    game = explain.pointing_game(maps, masks)
    assert game.hits.tolist() == [True, False, False]  # a map of zeros has no peak
    assert game.energy.tolist() == [0.75, 0.5, 0.0]
    assert game.area.tolist() == [0.5, 0.75, 1.0]
    assert game.to_json() == pytest.approx({"hits": 1 / 3, "energy": 1.25 / 3, "area": 0.75})


def test_error_messages():
    with pytest.raises(ConfigError) as error:
        explain.pointing_game(np.zeros((2, 3, 3)), np.zeros((1, 3, 3)))
    assert str(error.value) == "pointing game: 2 maps for 1 masks; pass one mask per map"
    with pytest.raises(ModelError) as unknown:
        explain.cascade(nn.Sequential(nn.Conv2d(1, 1, 1)), lambda _net: np.zeros((1, 2, 2)), ["1"])
    assert str(unknown.value) == "layer 1: the network has no such layer; choose one of 0"

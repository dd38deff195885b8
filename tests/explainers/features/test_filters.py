import numpy as np
import pytest
import torch
from torch import nn

from convscope import explainers
from convscope.errors import ModelError


def layer_of(kernels: np.ndarray) -> nn.Sequential:
    count, channels, height, width = kernels.shape
    model = nn.Sequential(nn.Conv2d(channels, count, (height, width)))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(kernels))
    return model


def gabors(count: int) -> np.ndarray:
    """Gabor filters, as in trained first layers: sine waves in a Gaussian envelope."""
    y, x = np.mgrid[-3:4, -3:4] / 3
    angles = np.linspace(0, np.pi, count, endpoint=False)[:, None, None]
    return (np.exp(-(x**2) - y**2) * np.sin(3 * (x * np.cos(angles) + y * np.sin(angles))))[:, None].astype(np.float32)


def test_smoothness_equals_results_computed_by_hand():
    constant, checkerboard = np.ones((1, 1, 3, 3)), np.indices((3, 3)).sum(0)[None, None] % 2 * 2.0 - 1
    step = np.array([[[[1.0, 1.0], [-1.0, -1.0]]]])  # two row pairs are equal, two column pairs opposite
    scores = explainers.smoothness(np.concatenate([constant, checkerboard]))
    assert scores.tolist() == [1.0, -1.0]
    assert explainers.smoothness(step).tolist() == [0.0]
    assert explainers.smoothness(np.zeros((1, 1, 3, 3))).tolist() == [0.0]


def test_smoothness_does_not_depend_on_scale_and_is_zero_on_average_for_noise():
    noise = np.random.default_rng(0).standard_normal((4000, 1, 5, 5))
    scores = explainers.smoothness(noise)
    assert abs(scores.mean()) < 3 * scores.std() / np.sqrt(4000)
    assert np.allclose(explainers.smoothness(100 * noise), scores)


def test_random_kernels_are_less_smooth_than_gabor_filters():
    random = explainers.filters(nn.Sequential(nn.Conv2d(1, 64, 7)))
    smooth = explainers.filters(layer_of(gabors(16)))
    assert smooth.smoothness.noisy == ()
    assert len(random.smoothness.noisy) / 64 > 0.85  # 95 % on average
    assert smooth.smoothness.scores.mean() > random.smoothness.random_p95 > random.smoothness.scores.mean()


def test_a_kernel_of_less_than_one_per_cent_of_the_strongest_is_dead_however_weak_the_others_are():
    layer = torch.nn.Conv2d(1, 3, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 0.007, 0.011]).reshape(3, 1, 1, 1))
    assert explainers.filters(torch.nn.Sequential(layer)).dead == (1,)


def test_dead_and_duplicate_filters_are_named():
    kernels = gabors(6)
    kernels[2] *= 1e-4
    kernels[5] = 3 * kernels[1]
    found = explainers.filters(layer_of(kernels))
    assert found.dead == (2,)
    assert [(first, second) for first, second, _ in found.duplicates] == [(1, 5)]
    numbers = found.to_json()
    assert numbers["dead"] == [2]
    assert numbers["duplicates"][0]["similarity"] == pytest.approx(1)
    assert len(numbers["smoothness"]) == 6


def test_a_negated_filter_is_not_a_duplicate():
    kernels = gabors(3)
    kernels[2] = -kernels[0]
    assert explainers.filters(layer_of(kernels)).duplicates == ()


def test_single_pixels_and_linear_layers_have_no_smoothness():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 2))
    assert explainers.filters(model).smoothness is None
    assert explainers.filters(model, "2").weights.shape == (2, 4, 1, 1)
    assert explainers.filters(model, "2").to_json()["smoothness"] is None


def test_a_transposed_convolution_has_one_filter_per_output_channel():
    assert explainers.filters(nn.Sequential(nn.ConvTranspose2d(3, 5, 2)), "0").weights.shape == (5, 3, 2, 2)


def test_layers_without_kernels_are_errors():
    with pytest.raises(ModelError) as error:
        explainers.filters(nn.Sequential(nn.ReLU()), "0")
    assert str(error.value) == "layer 0: a ReLU, which has no kernels; choose a convolution or a linear layer"
    with pytest.raises(ModelError) as none:
        explainers.first_convolution(nn.Sequential(nn.ReLU()))
    assert str(none.value) == "model: no convolution found; name a layer with kernels"

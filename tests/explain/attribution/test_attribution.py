"""Grad-CAM and its relatives, gradients and occlusion: against captum, and against answers worked by hand."""

import numpy as np
import pytest
import torch
from captum import attr
from torch import nn

from convscope import explain
from convscope.errors import ConfigError, ModelError

LAYER = "6"  # the last convolution, before its ReLU in place
TARGETS = torch.tensor([1, 2, 0, 1])


@pytest.fixture
def fresh(trained):
    """Captum needs layers that do not work in place; the weights are the same."""
    model = nn.Sequential(*(nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in trained))
    return model.eval()


def difference(ours: np.ndarray, theirs: torch.Tensor) -> float:
    """The largest difference, relative to the largest value."""
    reference = theirs.detach().numpy()
    return float(np.abs(ours - reference).max() / np.abs(reference).max())


def test_grad_cam_equals_captums_to_one_in_a_million(fresh, unseen):
    x = unseen.x[:4]
    theirs = attr.LayerGradCam(fresh, fresh[6]).attribute(x, TARGETS, relu_attributions=True)
    assert difference(explain.grad_cam(fresh, x, LAYER, TARGETS).values, theirs) < 1e-6


def test_input_gradients_equal_captums_saliency(fresh, unseen):
    x = unseen.x[:4]
    theirs = attr.Saliency(fresh).attribute(x.clone().requires_grad_(), TARGETS, abs=False)
    assert difference(explain.input_gradients(fresh, x, TARGETS).values, theirs) < 1e-6


def test_integrated_gradients_equal_captums_and_add_up_to_the_difference(fresh, unseen):
    x, baseline = unseen.x[:4], torch.full((1, 1, 24, 24), -0.5)
    theirs = attr.IntegratedGradients(fresh).attribute(x, baseline.expand_as(x), TARGETS, n_steps=50)
    ours = explain.integrated_gradients(fresh, x, TARGETS, baseline)
    assert difference(ours.values, theirs) < 1e-5
    with torch.no_grad():
        start = fresh(baseline)[0, TARGETS].numpy()
    assert np.allclose(ours.values.sum((1, 2, 3)), ours.scores - start, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(("window", "stride"), [(6, 6), (7, 4), (5, 5)])
def test_occlusion_equals_captums_also_where_windows_overlap_and_cross_the_border(fresh, unseen, window, stride):
    x = unseen.x[:4]
    theirs = attr.Occlusion(fresh).attribute(x, (1, window, window), (1, stride, stride), baselines=0, target=TARGETS)
    ours = explain.occlusion(fresh, x, TARGETS, explain.OcclusionSettings(window=window, stride=stride))
    assert difference(ours.values, theirs) < 1e-5


@pytest.mark.parametrize(("side", "window", "stride"), [(128, 16, 8), (64, 8, 4), (32, 4, 2), (6, 1, 1)])
def test_the_default_window_of_occlusion_is_an_eighth_of_the_image(side, window, stride):
    torch.manual_seed(0)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4, 3))
    x = torch.rand(1, 1, side, side)
    given = explain.OcclusionSettings(window=window, stride=stride)
    assert np.array_equal(explain.occlusion(model, x).maps, explain.occlusion(model, x, settings=given).maps)


def test_the_four_class_maps_of_a_network_worked_by_hand():
    """Two channels of a 1 x 2 map pass through as they are; the class weighs their four places 1, -3 and 2, 0."""
    model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[1.0, -3.0, 2.0, 0.0]]))
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    maps = {name: explain.class_map(model, x, "0", None, name).maps[0, 0] for name in explain.WEIGHTINGS}
    assert np.allclose(maps["grad_cam"], [-1 * 1 + 1 * 3, -1 * 2 + 1 * 4])
    assert np.allclose(maps["hires_cam"], [1 * 1 + 2 * 3, 0])
    assert np.allclose(maps["layer_cam"], [1 * 1 + 2 * 3, 0])
    # alpha = g^2 / (2 g^2 + sum of A g^3): the sum is 1 - 54 = -53 in channel 0 and 24 in channel 1
    first, second = 1 / (2 - 53) * 1, 4 / (8 + 24) * 2
    assert np.allclose(maps["grad_cam_plus_plus"], [first * 1 + second * 3, first * 2 + second * 4])


def test_the_parts_that_channels_add_to_a_class_map_make_the_whole_where_none_is_cut_off():
    model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    nn.init.constant_(model[2].weight, 2.0)
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    parts = [explain.class_map(model, x, "0", None, "grad_cam", [channel]).maps for channel in (0, 1)]
    assert parts[1].tolist() == [[[6.0, 8.0]]]
    assert np.array_equal(sum(parts), explain.grad_cam(model, x, "0").maps)


def test_without_targets_the_preferred_class_is_followed(trained, unseen):
    with torch.no_grad():
        logits = trained(unseen.x[:8])
    result = explain.grad_cam(trained, unseen.x[:8], LAYER)
    assert result.targets.tolist() == logits.argmax(1).tolist()
    assert np.allclose(result.scores, logits.amax(1), atol=1e-5)


def test_smooth_grad_without_noise_is_the_gradient_and_repeats_with_a_seed(trained, unseen):
    x = unseen.x[:2]
    still = explain.smooth_grad(trained, x, settings=explain.NoiseSettings(noise=0, samples=2))
    assert np.allclose(still.values, explain.input_gradients(trained, x).values, atol=1e-6)
    first, second, other = (
        explain.smooth_grad(trained, x, settings=explain.NoiseSettings(samples=3, seed=seed)).values
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_the_json_holds_the_range_and_the_peak():
    maps = np.array([[[0.0, 1.0], [3.0, 2.0]]], np.float32)
    result = explain.Attribution("m", "l", np.array([1]), np.array([0.5]), maps[:, None], maps)
    assert result.to_json() == {
        "method": "m", "layer": "l", "size": [2, 2], "targets": [1], "scores": [0.5],
        "smallest": [0.0], "largest": [3.0], "peak_row_column": [[1, 0]],
    }  # fmt: skip


def test_progress_counts_to_the_end(trained, unseen):
    told = []
    explain.integrated_gradients(trained, unseen.x[:1], on_progress=lambda *done: told.append(done))
    assert told == [(50, 50)]
    told.clear()
    window = explain.OcclusionSettings(window=16, stride=8)
    explain.occlusion(trained, unseen.x[:1], settings=window, on_progress=lambda *done: told.append(done))
    assert told == [(4, 4)]


class Fixed(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.layer, self.output = nn.Conv2d(1, 1, 1), output

    def forward(self, x):
        self.layer(x)
        return self.output


def test_errors_name_the_place_the_value_and_the_way_out():
    x = torch.zeros(2, 1, 4, 4)
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(16, 3))
    cases = [
        (lambda: explain.grad_cam(model, x, "0", torch.tensor([0])), ConfigError,
         "targets: shape (1,) for 2 images; give one class for each image"),
        (lambda: explain.grad_cam(model, x, "0", torch.tensor([0, 3])), ConfigError,
         "targets: class 3 of a network with 3; choose from 0 to 2"),
        (lambda: explain.grad_cam(Fixed({"logits": 1}), x, "layer"), ModelError,
         "output: a dict, not (B, K) logits; wrap the network so that it gives those"),
        (lambda: explain.input_gradients(Fixed(torch.zeros(2, 3, 4, 4)), x), ModelError,
         "output: shape (2, 3, 4, 4), not (B, K) logits; wrap the network so that it gives those"),
        (lambda: explain.grad_cam(Fixed(torch.zeros(2, 3)), x, "layer"), ModelError,
         "layer layer: the class scores do not depend on it; choose a layer on the way to the output"),
        (lambda: explain.input_gradients(Fixed(torch.zeros(2, 3)), x), ModelError,
         "model: its logits do not depend on the pixels by gradients; is there a no_grad inside it?"),
        (lambda: explain.class_map(model, x, "0", None, "grad_kam"), ConfigError,
         "method: no class map grad_kam; did you mean grad_cam?"),
        (lambda: explain.class_map(model, x, "0", None, "grad_cam", [1]), ConfigError,
         "layer 0: no channel 1; choose from 0 to 0"),
        (lambda: explain.occlusion(model, x, settings=explain.OcclusionSettings(window=16)), ConfigError,
         "occlusion: window 16 on 4 x 4 pixels; choose a smaller one"),
        (lambda: explain.occlusion(model, x, settings=explain.OcclusionSettings(window=2, stride=3)), ConfigError,
         "occlusion: stride 3 skips pixels between windows of 2; choose less"),
    ]  # fmt: skip
    for call, kind, message in cases:
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message


def test_layers_that_work_in_place_do_not_change_a_map(trained, fresh, unseen):
    x = unseen.x[:4]
    in_place, apart = (explain.grad_cam(model, x, LAYER, TARGETS).maps for model in (trained, fresh))
    assert np.array_equal(in_place, apart)

"""Class activation maps, gradients and occlusion: against captum, and against results computed by hand."""

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
def without_in_place(trained):
    """The trained network with ReLUs that do not work in place, which captum needs; the weights are the same."""
    model = nn.Sequential(*(nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in trained))
    return model.eval()


def difference(ours: np.ndarray, theirs: torch.Tensor) -> float:
    """The largest difference, relative to the largest value."""
    reference = theirs.detach().numpy()
    return float(np.abs(ours - reference).max() / np.abs(reference).max())


def test_grad_cam_equals_captums_to_one_in_a_million(without_in_place, unseen):
    x = unseen.x[:4]
    theirs = attr.LayerGradCam(without_in_place, without_in_place[6]).attribute(x, TARGETS, relu_attributions=True)
    assert difference(explain.grad_cam(without_in_place, x, LAYER, TARGETS).values, theirs) < 1e-6


def test_input_gradients_equal_captums_saliency(without_in_place, unseen):
    x = unseen.x[:4]
    theirs = attr.Saliency(without_in_place).attribute(x.clone().requires_grad_(), TARGETS, abs=False)
    assert difference(explain.input_gradients(without_in_place, x, TARGETS).values, theirs) < 1e-6


def test_integrated_gradients_equal_captums_and_sum_to_the_difference_of_the_logits(without_in_place, unseen):
    x, baseline = unseen.x[:4], torch.full((1, 1, 24, 24), -0.5)
    theirs = attr.IntegratedGradients(without_in_place).attribute(x, baseline.expand_as(x), TARGETS, n_steps=50)
    ours = explain.integrated_gradients(without_in_place, x, TARGETS, baseline)
    assert difference(ours.values, theirs) < 1e-5
    with torch.no_grad():
        start = without_in_place(baseline)[0, TARGETS].numpy()
    assert np.allclose(ours.values.sum((1, 2, 3)), ours.scores - start, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(("window", "stride"), [(6, 6), (7, 4), (5, 5)])
def test_occlusion_equals_captums_also_where_windows_overlap_and_cross_the_border(
    without_in_place, unseen, window, stride
):
    x = unseen.x[:4]
    theirs = attr.Occlusion(without_in_place).attribute(
        x, (1, window, window), (1, stride, stride), baselines=0, target=TARGETS
    )
    ours = explain.occlusion(without_in_place, x, TARGETS, explain.OcclusionSettings(window=window, stride=stride))
    assert difference(ours.values, theirs) < 1e-5


@pytest.mark.parametrize(("side", "window", "stride"), [(128, 16, 8), (64, 8, 4), (32, 4, 2), (6, 1, 1)])
def test_the_default_window_of_occlusion_is_an_eighth_of_the_image(side, window, stride):
    torch.manual_seed(0)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4, 3))
    x = torch.rand(1, 1, side, side)
    given = explain.OcclusionSettings(window=window, stride=stride)
    assert np.array_equal(explain.occlusion(model, x).maps, explain.occlusion(model, x, settings=given).maps)


def test_the_four_class_maps_of_a_network_computed_by_hand():
    """Two channels of a 1 x 2 map, unchanged; the class weights of their four positions are 1, -3 and 2, 0."""
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


def test_the_contributions_of_channels_sum_to_the_class_map_where_the_relu_is_inactive():
    model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    nn.init.constant_(model[2].weight, 2.0)
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    parts = [explain.class_map(model, x, "0", None, "grad_cam", [channel]).maps for channel in (0, 1)]
    assert parts[1].tolist() == [[[6.0, 8.0]]]
    assert np.array_equal(sum(parts), explain.grad_cam(model, x, "0").maps)


def test_without_targets_the_predicted_class_is_explained(trained, unseen):
    with torch.no_grad():
        logits = trained(unseen.x[:8])
    result = explain.grad_cam(trained, unseen.x[:8], LAYER)
    assert result.targets.tolist() == logits.argmax(1).tolist()
    assert np.allclose(result.scores, logits.amax(1), atol=1e-5)


def test_smooth_grad_without_noise_is_the_gradient_and_repeats_with_a_seed(trained, unseen):
    x = unseen.x[:2]
    without_noise = explain.smooth_grad(trained, x, settings=explain.NoiseSettings(noise=0, samples=2))
    assert np.allclose(without_noise.values, explain.input_gradients(trained, x).values, atol=1e-6)
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


def test_progress_is_reported_up_to_the_total(trained, unseen):
    progress = []
    explain.integrated_gradients(trained, unseen.x[:1], on_progress=lambda *done: progress.append(done))
    assert progress == [(50, 50)]
    progress.clear()
    window = explain.OcclusionSettings(window=16, stride=8)
    explain.occlusion(trained, unseen.x[:1], settings=window, on_progress=lambda *done: progress.append(done))
    assert progress == [(4, 4)]


class ConstantOutput(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.layer, self.output = nn.Conv2d(1, 1, 1), output

    def forward(self, x):
        self.layer(x)
        return self.output


def test_errors_name_the_source_the_value_and_the_remedy():
    x = torch.zeros(2, 1, 4, 4)
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(16, 3))
    cases = [
        (lambda: explain.grad_cam(model, x, "0", torch.tensor([0])), ConfigError,
         "targets: shape (1,) for 2 images; pass one class per image"),
        (lambda: explain.grad_cam(model, x, "0", torch.tensor([0, 3])), ConfigError,
         "targets: class 3 is out of range for 3 classes; choose from 0 to 2"),
        (lambda: explain.grad_cam(ConstantOutput({"logits": 1}), x, "layer"), ModelError,
         "output: a dict, not (B, K) logits; wrap the network so that it returns logits"),
        (lambda: explain.input_gradients(ConstantOutput(torch.zeros(2, 3, 4, 4)), x), ModelError,
         "output: shape (2, 3, 4, 4), not (B, K) logits; wrap the network so that it returns logits"),
        (lambda: explain.grad_cam(ConstantOutput(torch.zeros(2, 3)), x, "layer"), ModelError,
         "layer layer: the class scores do not depend on it; choose a layer between input and output"),
        (lambda: explain.input_gradients(ConstantOutput(torch.zeros(2, 3)), x), ModelError,
         "model: the logits have no gradient with respect to the pixels; remove no_grad from its forward"),
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


def test_layers_that_work_in_place_do_not_change_a_map(trained, without_in_place, unseen):
    x = unseen.x[:4]
    in_place, out_of_place = (explain.grad_cam(model, x, LAYER, TARGETS).maps for model in (trained, without_in_place))
    assert np.array_equal(in_place, out_of_place)

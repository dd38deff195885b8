import torch
import torch.nn.functional as F
from torch import nn

from convscope import explainers
from convscope.explainers import OptimisationSettings, PixelSpace
from convscope.explainers.synthesis.relu_gradients import RedirectedReLU


def gradient(x, weights, relu):
    x = x.clone().requires_grad_()
    (weights * relu(x)).sum().backward()
    return x.grad


def test_gradients_are_redirected_to_increase_the_inputs_only_where_none_passes():
    x = torch.tensor([[1.0, -1.0, -2.0], [-1.0, -2.0, -3.0]])
    weights = torch.tensor([[2.0, 3.0, -4.0], [5.0, -6.0, 7.0]])  # of a loss: only the second of row two increases
    with RedirectedReLU():
        redirected = gradient(x, weights, F.relu)
    assert redirected.tolist() == [[2.0, 0.0, 0.0], [0.0, -6.0, 0.0]]
    assert gradient(x, weights, F.relu).tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_values_are_those_of_the_plain_relu_also_in_place():
    x = torch.randn(3, 4)
    with RedirectedReLU():
        for relu in (F.relu, torch.relu, nn.ReLU(), nn.ReLU(inplace=True), torch.Tensor.relu, torch.Tensor.relu_):
            inputs = x.clone()
            assert torch.equal(relu(inputs), x.clamp(min=0))
            assert torch.equal(inputs, x.clamp(min=0) if relu in (torch.Tensor.relu_,) or "inplace" in str(relu) else x)


def test_in_place_gradients_are_those_of_the_plain_relu():
    x, weights = torch.tensor([[1.0, -1.0]]), torch.tensor([[2.0, 3.0]])
    with RedirectedReLU():
        assert gradient(x, weights, lambda y: nn.ReLU(inplace=True)(y * 1)).tolist() == [[2.0, 0.0]]


def test_a_channel_that_is_inactive_on_noise_is_activated():
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(inplace=True))
    nn.init.ones_(model[0].weight)
    nn.init.constant_(model[0].bias, -6.0)  # more than noise near the mean can reach
    settings = OptimisationSettings(
        steps=128, size=(12, 12), transforms=explainers.Transforms(crop=1, noise=0, rotate=0)
    )
    result = explainers.maximise_channels(model, "1", [0], PixelSpace((0.5,), (0.5,)), settings)
    assert result.pictures.start[0] == 0
    assert result.pictures.final[0] > 1

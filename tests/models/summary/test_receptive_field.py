"""Receptive fields equal the support of the gradient, for every family."""

import pytest
import torch
from torch import Tensor, nn

from convscope.models import MODELS
from convscope.models.summary.trace import trace
from helpers.gradient_support import agrees, positive, support

LINEAR = {"activation": "none", "pooling": "average"}  # so that every path has a gradient, not only those of the maxima
NARROW = {"width": 2, "head": "gap", "widths": ()}

FAMILIES = {
    "lenet": ({"padding": "none"}, 32, 1),
    "alexnet": ({"filters": (2, 2, 2, 2, 2), "head": "gap"}, 240, 3),
    "alexnet_2012": ({"filters": (2, 2, 2, 2, 2), "groups": 1, "response": "none", "head": "gap"}, 259, 3),
    "vgg11": (NARROW, 256, 3),
    "vgg16": (NARROW, 256, 3),
    "googlenet": ({}, 160, 3),
    "resnet18": ({"width": 2}, 480, 3),
    "resnet50": ({"width": 2, "depths": (1, 2, 1, 1)}, 320, 3),
    "resnet20": ({"width": 2}, 48, 3),
    "se_resnet18": ({"width": 2, "gated": "last"}, 128, 3),
    "squeezenet1_0": ({"first": (8, 7), "stages": ((2, 2), (2,))}, 128, 3),
    "mobilenet_v2": ({"multiplier": 0.1}, 160, 3),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_receptive_field_of_every_family_is_the_support_of_the_gradient(name) -> None:
    options, side, channels = FAMILIES[name]
    options = {**LINEAR, **options}
    if name == "lenet":
        options["size"] = side
    model = positive(MODELS[name](4, channels=channels, **options))
    rows = [row for row in trace(model, (channels, side, side)) if not row.name.startswith("head")]
    agrees((channels, side, side), model.encoder, rows[-1])


@pytest.mark.slow
def test_the_receptive_field_of_inception_v3_is_the_support_of_the_gradient() -> None:
    model = positive(MODELS["inception_v3"](4, **LINEAR))
    rows = [row for row in trace(model, (3, 299, 299)) if not row.name.startswith("head")]
    agrees((3, 299, 299), model.encoder, rows[-1])


@pytest.mark.parametrize(("rank", "side"), [(1, 128), (3, 48)])
def test_receptive_fields_are_exact_in_one_and_three_dimensions(rank, side) -> None:
    model = positive(MODELS["resnet18"](4, rank=rank, width=2, depths=(1, 1), **LINEAR))
    shape = (3, *(side,) * rank)
    rows = [row for row in trace(model, shape) if not row.name.startswith("head")]
    agrees(shape, model.encoder, rows[-1])


def both(first: nn.Module, second: nn.Module) -> nn.Module:
    """Return a module that adds the outputs of two modules."""

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x: Tensor) -> Tensor:
            return self.first(x) + self.second(x)

    return Both()


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Conv2d(1, 2, 3, 2, 1), nn.ConvTranspose2d(2, 1, 2, 2), nn.Conv2d(1, 1, 3, padding=1)),
        nn.Sequential(nn.AvgPool2d(4), nn.ConvTranspose2d(1, 1, 3, 2, 1, 1), nn.Conv2d(1, 1, 3, 2, 1)),
        nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3, 3)),
        nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(1, 1, 2)),
        nn.Sequential(nn.ZeroPad2d((1, 2, 3, 4)), nn.Conv2d(1, 1, (1, 5)), nn.Conv2d(1, 1, (3, 1), dilation=2)),
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), nn.AdaptiveAvgPool2d(8)),
        both(nn.Conv2d(1, 1, 5, padding=2), nn.Conv2d(1, 1, (1, 7), padding=(0, 3))),
        both(nn.Sequential(nn.Conv2d(1, 1, 4, 4), nn.Upsample(scale_factor=4)), nn.Conv2d(1, 1, 3, padding=1)),
    ],
    ids=["transposed", "uneven", "nearest", "bilinear", "padded", "adaptive", "branches", "upsampled"],
)
def test_receptive_fields_are_exact_for_every_type_of_layer(model) -> None:
    model = positive(model)
    agrees((1, 32, 32), model, trace(model, (1, 32, 32))[-1])


def test_a_gate_sees_the_whole_image() -> None:
    model = positive(MODELS["se_resnet18"](4, width=2, depths=(1,), stem="small", **LINEAR))
    x = torch.rand(1, 3, 40, 40, dtype=torch.float64, requires_grad=True)
    maps = model.encoder(x)
    assert support(x, maps[0, 0, 20, 20]) == [(0, 39), (0, 39)]
    last = [row for row in trace(model, (3, 40, 40)) if not row.name.startswith("head")][-1]
    assert last.axes[0].field.advance == 0
    low, high = last.axes[0].field.at(20)
    assert low <= 0
    assert high >= 39

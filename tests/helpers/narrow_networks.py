"""Every network of the registry, with narrow widths for fast tests."""

import pytest
import torch
from torch import nn

from convscope.models import MODELS

TEXT = """norm = "batch"
blocks = [
  {conv = 4}, {norm = "batch"}, {act = "tanh"}, {pool = "average"}, {residual = [{conv = 4}, {se = 1}]},
  {inception = [2, 2, 2, 2, 2, 2]}, {conv = 4, stride = 2}, {gap = true}, {linear = "classes"},
]"""
ALEXNET = {"filters": (4, 4, 4, 4, 4), "widths": (8, 8)}
VGG = {"width": 2, "head": "grid:2", "widths": (8, 8)}


# Options of a narrow version, a suitable image side, and the strides stated in the docstring.
NARROW: dict[str, tuple[dict, int, list[int]]] = {
    "mlp": ({"size": 16, "widths": (8, 6)}, 16, []),
    "lenet": ({}, 32, [2, 4]),
    "plain": ({"filters": (4, 6, 8)}, 32, [2, 4]),
    **{name: (ALEXNET, 131, [8, 16, 32]) for name in ("alexnet", "alexnet_2012", "alexnet_one_gpu")},
    **{name: (VGG, 64, [2, 4, 8, 16, 32]) for name in MODELS if name.startswith("vgg")},
    "googlenet": ({}, 64, [4, 8, 16, 16, 16, 32]),
    "inception_v3": ({}, 107, [4, 8, 16, 32]),
    **{name: ({"width": 2}, 64, [4, 8, 16, 32]) for name in MODELS if "resnet" in name},
    **{name: ({"width": 2}, 32, [1, 2, 4]) for name in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110")},
    "squeezenet1_0": ({"first": (8, 7), "stages": ((2, 2), (2,), (3,))}, 64, [4, 8, 16]),
    "squeezenet1_1": ({"first": (8, 3), "stages": ((2, 2), (2,), (3,))}, 64, [4, 8, 16]),
    "mobilenet_v2": ({"multiplier": 0.2}, 64, [2, 4, 8, 16, 32]),
    **{
        name: ({"multiplier": 0.2, "deeper": 1.0}, 64, [2, 4, 8, 16, 32])
        for name in MODELS
        if name.startswith("efficientnet")
    },
    "airbench": ({"stages": (4, 6, 8)}, 32, [2, 4, 8]),
    "unet": ({"width": 4}, 48, [2, 4, 8, 16]),
    "assembled": ({"text": TEXT}, 24, [2, 4]),
    "segnet": ({"width": 2}, 64, [2, 4, 8, 16, 32]),
    "full_resolution": ({"width": 4, "depth": 3}, 24, [1, 1]),
}

# One network per family for slow tests; the others are marked slow.
FIRST = {"mlp", "lenet", "plain", "alexnet_2012", "vgg11_bn", "googlenet", "resnet18", "resnet20", "se_resnet18"} | {
    "squeezenet1_1", "mobilenet_v2", "efficientnet_lite0", "airbench", "unet", "segnet", "full_resolution", "assembled",
}  # fmt: skip

DEEPEST = {"googlenet", "mobilenet_v2", "efficientnet_lite0"}  # of these families: tracing takes five to ten seconds

# Networks that take a second or more to build, trace or run even when narrow: every test of one of them is slow, where
# the same test runs with smaller networks too (tests/conftest.py).
LARGE = {
    "googlenet", "inception_v3", "mobilenet_v2", "alexnet", "alexnet_2012", "vgg11", "vgg11_bn", "vgg16_bn",
    "resnet50", "resnet101", "resnet110", "resnet152", "se_resnet50", "se_resnet152",
    *(f"efficientnet_lite{size}" for size in range(5)),
}  # fmt: skip

# Deeper variants of a network that is tested.
DEEP = {"inception_v3", "resnet34", "resnet32", "se_resnet34", "se_resnet50", "alexnet_one_gpu"} | {
    name
    for name in MODELS
    if name.endswith(("lite1", "lite2", "lite3", "lite4", "101", "152", "110", "56", "44"))
    or name in ("vgg13", "vgg16", "vgg19", "vgg13_bn", "vgg19_bn")
}

every = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in DEEP else name for name in MODELS]
)
quick = pytest.mark.parametrize(
    "name", [name if name in FIRST - DEEPEST else pytest.param(name, marks=pytest.mark.slow) for name in MODELS]
)


def make(name: str, classes: int = 3, channels: int = 3, **more) -> nn.Module:
    options = {**NARROW[name][0], **more}
    return MODELS[name](classes, channels=channels, **options).eval()


def meta_model(name: str, **more) -> nn.Module:
    with torch.device("meta"):
        return make(name, **more)

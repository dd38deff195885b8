"""Answers about layers against PyTorch: real layers are run, their outputs and parameters counted."""

from math import prod

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.lesson_oracles import disagreements


def t(values):
    return torch.tensor(values, dtype=torch.float64)


def conv(image, kernel, **settings):
    return F.conv2d(t(image)[None, None], t(kernel)[None, None], **settings)[0, 0]


def side(length, *layers):
    with torch.device("meta"):
        return nn.Sequential(*layers)(torch.empty(1, 1, length, length)).shape[-1]


def count(*layers):
    with torch.device("meta"):
        return sum(one.numel() for one in nn.Sequential(*layers).parameters())


def meta_conv(*numbers, **settings):
    with torch.device("meta"):
        return nn.Conv2d(*numbers, **settings)


def meta_linear(*numbers):
    with torch.device("meta"):
        return nn.Linear(*numbers)


def support(layers):
    """How far the pixels whose gradient is not 0 reach: convolutions of ones along one axis."""
    length = 1 + sum(
        (size - 1) * prod(stride for _, stride in layers[:index]) for index, (size, _) in enumerate(layers)
    )
    x = torch.ones(1, 1, length + 64, dtype=torch.float64, requires_grad=True)
    y = x
    for size, stride in layers:
        y = F.conv1d(y, torch.ones(1, 1, size, dtype=torch.float64), stride=stride)
    y[0, 0, 0].backward()
    touched = x.grad[0, 0].nonzero()
    return int(touched.max() - touched.min()) + 1


def dilated(given):
    x = torch.ones(1, 1, 2 * sum(given["dilations"]) + 9, dtype=torch.float64, requires_grad=True)
    y = x
    for dilation in given["dilations"]:
        y = F.conv1d(y, torch.ones(1, 1, 3, dtype=torch.float64), dilation=dilation)
    y[0, 0, 0].backward()
    touched = x.grad[0, 0].nonzero()
    return int(touched.max() - touched.min()) + 1


def pool_gradient(given):
    x = t(given["image"])[None, None].requires_grad_()
    F.max_pool2d(x, 2).backward(t(given["arriving"])[None, None])
    return x.grad


def changed(given):
    a, b = (F.max_pool2d(t(given[name])[None, None], 2) for name in ("image", "moved"))
    return int((a != b).sum())


def stack(given):
    return count(*[meta_conv(given["channels"], given["channels"], 3, bias=False)] * 1) * ((given["size"] - 1) // 2)


def transposed_overlap(given):
    size, stride = given["size"], given["stride"]
    y = F.conv_transpose1d(torch.ones(1, 1, 40), torch.ones(1, 1, size), stride=stride)[0, 0]
    start = 20 * stride
    return y[start : start + stride]


ORACLES = {
    "convolution": {
        "one_output": lambda g: conv(g["window"], g["kernel"]),
        "whole_map": lambda g: conv(g["image"], g["kernel"]),
        "padded_corner": lambda g: conv(g["image"], g["kernel"], padding=1)[0, 0],
        "strided": lambda g: conv(g["image"], g["kernel"], stride=2),
        "two_channels": lambda g: F.conv2d(t(g["windows"])[None], t(g["kernels"])[None], t([g["bias"]])),
    },
    "output-size": {
        "plain": lambda g: side(g["length"], nn.Conv2d(1, 1, g["size"])),
        "with_padding": lambda g: side(g["length"], nn.Conv2d(1, 1, g["size"], padding=g["padding"])),
        "with_stride": lambda g: side(g["length"], nn.Conv2d(1, 1, g["size"], g["stride"], g["padding"])),
        "with_dilation": lambda g: side(g["length"], nn.Conv2d(1, 1, g["size"], dilation=g["dilation"])),
        "same_padding": lambda g: next(
            padding for padding in range(64)
            if side(g["length"], nn.Conv2d(1, 1, g["size"], padding=padding, dilation=g["dilation"])) == g["length"]
        ),
        "three_layers": lambda g: side(
            g["length"], nn.Conv2d(1, 1, g["size"], g["stride"]), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3, padding=1)
        ),
    },
    "parameters": {
        "convolution": lambda g: count(meta_conv(g["depth"], g["filters"], g["size"])),
        "before_norm": lambda g: count(
            meta_conv(g["depth"], g["filters"], g["size"], bias=False), nn.BatchNorm2d(g["filters"])
        ),
        "fully_connected": lambda g: count(meta_linear(g["channels"] * g["side"] ** 2, g["units"])),
        "macs": lambda g: count(meta_conv(g["depth"], g["filters"], g["size"], bias=False)) * g["side"] ** 2,
        "small_network": lambda g: count(
            meta_conv(g["depth"], g["first"], 3), meta_conv(g["first"], g["second"], 3),
            meta_linear(g["second"], g["classes"]),
        ),
        "shared_or_not": lambda g: meta_linear(g["side"] ** 2, g["side"] ** 2).weight.numel(),
    },
    "pooling": {
        "largest": lambda g: F.max_pool2d(t(g["image"])[None, None], 2),
        "average": lambda g: F.avg_pool2d(t(g["image"])[None, None], 2),
        "overlapping": lambda g: F.max_pool2d(t(g["image"])[None, None], 3, 2),
        "gradient": lambda g: pool_gradient(g).numpy(),
        "shift": changed,
        "global_average": lambda g: F.adaptive_avg_pool2d(t(g["maps"])[None], 1),
    },
    "stacks": {
        "weights_of_two": lambda g: count(*[meta_conv(g["channels"], g["channels"], 3, bias=False) for _ in range(2)]),
        "field_of_stack": lambda g: support([(g["size"], 1)] * g["count"]),
        "how_many": lambda g: next(n for n in range(1, 99) if support([(3, 1)] * n) == g["size"]),
        "weights_of_many": lambda g: (
            count(meta_conv(g["channels"], g["channels"], g["size"], bias=False)) - stack(g)
        ),
        "ratio": lambda g: stack({**g, "channels": 1}) / g["size"] ** 2,
    },
    "receptive-field": {
        "convolution_and_pool": lambda g: support(g["layers"]),
        "strided_stem": lambda g: support(g["layers"]),
        "blocks": lambda g: support(g["layers"]),
        "step_of_outputs": lambda g: prod(g["strides"]),
        "dilated": dilated,
        "deep_enough": lambda g: next(n for n in range(1, 99) if 1 + n * (g["size"] - 1) >= g["pixels"]),
    },
    "separable": {
        "one_by_one": lambda g: count(meta_conv(g["depth"], g["filters"], 1)),
        "depthwise": lambda g: count(
            meta_conv(g["channels"], g["channels"], g["size"], groups=g["channels"], bias=False)
        ),
        "separable": lambda g: count(
            meta_conv(g["depth"], g["depth"], g["size"], groups=g["depth"], bias=False),
            meta_conv(g["depth"], g["filters"], 1, bias=False),
        ),
        "bottleneck": lambda g: g["side"] ** 2 * count(
            meta_conv(g["depth"], g["narrow"], 1, bias=False),
            meta_conv(g["narrow"], g["filters"], g["size"], bias=False),
        ),
        "saving": lambda g: (g["size"] ** 2 * 7 + 7 * g["filters"]) / (g["size"] ** 2 * 7 * g["filters"]),
        "column_and_row": lambda g: count(
            meta_conv(g["channels"], g["channels"], (g["size"], 1), bias=False),
            meta_conv(g["channels"], g["channels"], (1, g["size"]), bias=False),
        ),
    },
    "transposed": {
        "enlarged_side": lambda g: side(g["length"], nn.ConvTranspose2d(1, 1, g["size"], g["stride"])),
        "padded_side": lambda g: side(
            g["length"], nn.ConvTranspose2d(1, 1, g["size"], 2, g["padding"], g["extra"])
        ),
        "needed_output_padding": lambda g: next(
            extra for extra in range(g["stride"])
            if side(
                side(g["length"], nn.Conv2d(1, 1, g["size"], g["stride"], g["padding"])),
                nn.ConvTranspose2d(1, 1, g["size"], g["stride"], g["padding"], extra),
            ) == g["length"]
        ),
        "by_hand": lambda g: F.conv_transpose1d(t(g["x"])[None, None], t(g["kernel"])[None, None], stride=2),
        "checkerboard": transposed_overlap,
    },
}  # fmt: skip


@pytest.mark.parametrize("topic", ORACLES)
def test_answers_agree_with_torch(topic):
    assert disagreements(topic, ORACLES[topic], 12) == []


@pytest.mark.slow
@pytest.mark.parametrize("topic", ORACLES)
def test_answers_agree_with_torch_for_a_thousand_seeds(topic):
    assert disagreements(topic, ORACLES[topic], 1000) == []

"""The default network and its width."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convscope.datasets import INPUT_KINDS
from convscope.models import Architecture, build
from convscope.pipeline.defaults import deep_without_norms, images_needed, more_epochs_for, network_for
from convscope.pipeline.network_choice import QUICK, affordable_macs, candidate_options, largest_affordable
from convscope.runs.overrides import Overrides
from convscope.tasks import TASKS
from convscope.training import muon_parameters

CPU = torch.device("cpu")


class Found:
    """So many images of one size."""

    def __init__(self, images: int, side: int) -> None:
        self.images, self.sizes, self.input_kind = images, np.full((images, 2), side), "image"

    def __len__(self) -> int:
        return self.images


@pytest.mark.parametrize(
    ("images", "side", "task", "overrides", "chosen"),
    [
        (5_000, 32, "classify", {}, "airbench"),
        (5_000, 28, "classify", {"train": {"epochs": 3}}, "airbench"),
        (4_999, 32, "classify", {}, None),
        (5_000, 8, "classify", {}, None),
        (5_000, 96, "classify", {}, None),
        (5_000, 32, "segment", {}, None),
        (5_000, 32, "classify", {"model": {"options": {"width": 8}}}, None),
    ],
)
def test_the_default_network_for_many_small_images_is_airbench(
    images: int, side: int, task: str, overrides: dict[str, Any], chosen: str | None
) -> None:
    assert (
        network_for(Found(images, side), TASKS[task], Overrides.of(overrides, "settings")).get("model", {}).get("name")
        == chosen
    )


@pytest.mark.parametrize(
    ("budget", "rate", "views", "expected"),
    [
        (0, None, 450_000, 3),  # 9e12 MACs are assumed for a run without a budget: 20 million per image
        (0, None, 60_000, 0),
        (1010, 1e12, 5_000_000, 0),  # 200 million per image
        (310, 3.6e10, 225_000, 2),  # 48 million per image
        (20, 1e9, 225_000, 3),  # the cheapest, when none is affordable
    ],
)
def test_the_largest_affordable_network_is_chosen(budget: float, rate: float | None, views: int, expected: int) -> None:
    costs = (121_000_000, 79_000_000, 45_000_000, 20_000_000)
    affordable = affordable_macs(budget, builtin=False, device="cpu", measure=lambda: rate or math.nan)
    assert largest_affordable(QUICK, lambda options: costs[QUICK.index(options)], views, affordable) == QUICK[expected]


@pytest.mark.parametrize(
    ("images", "photographs", "budget", "views"),
    [
        (1_600, False, False, 16_000),  # 10 epochs
        (1_000, False, False, 16_000),
        (100, False, False, 10_000),  # 100 epochs at the most
        (45_000, False, False, 450_000),  # 10 at the least
        (1_000, True, False, 16_000),
        (1_000, False, True, 8_000),
        (220, True, True, 8_800),  # 40 epochs
        (900, True, True, 36_000),
        (5_000, True, True, 48_000),
        (45_000, True, True, 225_000),  # half of 10 epochs
    ],
)
def test_a_budget_is_to_show_a_network_many_photographs_rather_than_to_make_it_wide(
    images: int, photographs: bool, budget: bool, views: int
) -> None:
    assert images_needed(images, photographs, budget) == views


@pytest.mark.parametrize(("builtin", "expected"), [(True, {"width": 16}), (False, {"width": 64})])
def test_built_in_datasets_train_quickly_by_default(builtin: bool, expected: dict[str, int]) -> None:
    affordable = affordable_macs(0, builtin, "cpu", measure=lambda: math.nan)
    choices = [{"width": 64}, {"width": 16}]
    chosen = largest_affordable(choices, lambda options: 140_000 * options["width"] ** 2, 15_360, affordable)
    assert chosen == expected


@pytest.mark.parametrize(
    ("model", "size", "first"),
    [
        ("resnet18", (32, 32), {"width": 64}),
        ("resnet34", (8, 8), {"width": 16}),
        ("resnet18", (4, 4), {"width": 16}),
        ("airbench", (32, 32), {"stages": (64, 256, 256)}),
        ("lenet", (32, 32), None),
    ],
)
def test_some_networks_come_in_several_sizes(model: str, size: tuple[int, int], first: dict[str, Any] | None) -> None:
    assert next(iter(candidate_options(model, size)), None) == first


def test_recordings_and_series_start_with_narrow_networks() -> None:
    for kind, size in (("series", (128,)), ("sound", (64, 67)), ("sound_wave", (5360,))):
        options = candidate_options("resnet18", size, INPUT_KINDS[kind].widest)
        assert options == [{"width": 32}, {"width": 24}, {"width": 16}]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)], True),
        ([nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)], True),
        ([nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)], False),
        ([nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.BatchNorm2d(4)], False),
    ],
)
def test_muon_is_for_convolutions_with_norms_behind_them(layers: list[nn.Module], expected: bool) -> None:
    assert bool(list(muon_parameters(nn.Sequential(*layers)))) is expected


@pytest.mark.parametrize(
    ("name", "options", "deep"),
    [
        ("lenet", {"head": "gap"}, False),
        ("alexnet", {}, True),
        ("vgg11", {}, True),
        ("vgg11", {"norm": "batch"}, False),
        ("googlenet", {"norm": "none"}, True),
        ("resnet18", {}, False),
    ],
)
def test_deep_networks_without_norms_are_detected(name: str, options: dict[str, Any], deep: bool) -> None:
    with torch.device("meta"):
        assert deep_without_norms(build(Architecture(name=name, classes=5, options=options))) is deep


@pytest.mark.parametrize(
    ("macs", "images", "epochs"), [(416_520, 1437, 41), (416_520, 100, 100), (1e6, 50_000, 10), (1_000_001, 1437, None)]
)
def test_networks_whose_epochs_take_no_time_train_for_more_of_them(
    macs: float, images: int, epochs: int | None
) -> None:
    assert more_epochs_for(macs, images).get("train", {}).get("epochs") == epochs

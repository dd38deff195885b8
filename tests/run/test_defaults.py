"""Which network is taken, and how wide, where nobody says."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from convscope.run.defaults import QUICK, dearest, network_for

CPU = torch.device("cpu")


class Found:
    """So many images of one size."""

    def __init__(self, images: int, side: int) -> None:
        self.images, self.sizes = images, np.full((images, 2), side)

    def __len__(self) -> int:
        return self.images


@pytest.mark.parametrize(
    ("images", "side", "task", "said", "chosen"),
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
def test_many_small_images_get_airbench_where_nothing_is_said_of_a_network(
    images: int, side: int, task: str, said: dict[str, Any], chosen: str | None
) -> None:
    assert network_for(Found(images, side), task, said).get("model", {}).get("name") == chosen


@pytest.mark.parametrize(
    ("budget", "rate", "views", "expected"),
    [
        (0, None, 450_000, 4),  # 9e12 multiplications are assumed for a run without a budget: 20 million an image
        (0, None, 60_000, 0),
        (1010, 1e12, 10_000_000, 0),  # half of the views: 200 million an image
        (310, 3.6e10, 450_000, 3),  # 48 million an image
        (20, 1e9, 450_000, 4),  # the cheapest, when none can be borne
    ],
)
def test_the_dearest_network_that_can_be_borne_is_taken(
    monkeypatch: pytest.MonkeyPatch, budget: float, rate: float | None, views: int, expected: int
) -> None:
    costs = (121e6, 79e6, 52e6, 45e6, 20e6)
    monkeypatch.setattr("convscope.run.defaults.measured_rate", lambda *_: rate)
    monkeypatch.setattr("convscope.run.defaults._network", lambda _prepared, _said, options: options)
    monkeypatch.setattr("convscope.run.defaults._shape", lambda _: (3, 32, 32))
    monkeypatch.setattr(
        "convscope.run.defaults.dissect",
        lambda options, _: SimpleNamespace(multiplications=costs[QUICK.index(options)]),
    )
    said = SimpleNamespace(train=SimpleNamespace(budget=budget))
    prepared = SimpleNamespace(dataset=SimpleNamespace(layout="folder"))
    assert dearest(QUICK, prepared, said, CPU, views) == QUICK[expected]

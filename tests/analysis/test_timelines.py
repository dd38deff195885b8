"""Grad-CAM over time, and what it refuses."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convscope.analysis.registry import METHODS
from convscope.analysis.runner import run_method
from convscope.analysis.timelines import map_layer, time_maps
from convscope.errors import ConfigError


def network() -> nn.Sequential:
    """The maps are the series and its negative; the scores are weighted means of them."""
    maps, scores = nn.Conv1d(1, 2, 1, bias=False), nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        maps.weight[:, 0, 0] = torch.tensor([1.0, -1.0])
        scores.weight[:] = torch.tensor([[8.0, 0.0], [0.0, 4.0]])
    return nn.Sequential(maps, nn.AdaptiveAvgPool1d(1), nn.Flatten(), scores)


def test_a_map_is_the_part_of_the_score_that_each_time_adds() -> None:
    """By hand: a weight of the class, divided by the 4 positions, times the map; nothing below 0."""
    series = torch.tensor([[[1.0, -2, 3, 0]]]).repeat(2, 1, 1)
    np.testing.assert_allclose(time_maps(network(), series, "0", np.array([0, 1])), [[2, 0, 6, 0], [0, 2, 0, 0]])


def test_a_network_without_stages_is_refused() -> None:
    target: Any = SimpleNamespace(name="net", model=network(), input=lambda _series, _rows: torch.zeros(1, 1, 4))
    with pytest.raises(ConfigError) as caught:
        map_layer(target, target)
    assert str(caught.value) == "net: no stage has maps over time; name a layer with --layers"


def test_images_are_refused() -> None:
    target: Any = SimpleNamespace(size=(8, 8), preprocessing=None, home=Path("runs/cats/explain"))
    timeline = METHODS["timeline"]
    with pytest.raises(ConfigError) as caught:
        run_method(target, timeline, timeline.settings(), lambda _done, _total: None)
    assert str(caught.value) == (
        f"explain timeline is for series, and {Path('runs/cats')} holds images; use another method"
    )

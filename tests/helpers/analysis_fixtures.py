"""Targets of explain methods: a run, a localise run, and a custom module."""

import shutil

import pytest
import torch
from torch import nn

from convscope.api.explain import InputInfo, wrap_module
from convscope.layouts.drawn_shapes import draw_shapes
from helpers.small_runs import train


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a finished run."""
    return shutil.copytree(finished, tmp_path / "run")


class Spectral(nn.Module):
    """A custom module for images of five channels."""

    def __init__(self) -> None:
        super().__init__()
        self.early = nn.Sequential(nn.Conv2d(5, 6, 3, padding=1), nn.ReLU())
        self.late = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU())
        self.classifier = nn.Linear(8, 3)

    def forward(self, x):
        return self.classifier(self.late(self.early(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def finding(tmp_path_factory):
    """A localise run on a hundred drawn shapes."""
    patch = pytest.MonkeyPatch()
    patch.setattr("convscope.layouts.builtin.draw_shapes", lambda _count, seed: draw_shapes(100, seed))
    path = tmp_path_factory.mktemp("finding") / "run"
    train(path, "shapes", task="localise", train__epochs=1, data__size=32)
    yield path
    patch.undo()


@pytest.fixture
def spectral(tmp_path):
    torch.manual_seed(0)
    pixels = torch.rand(12, 5, 16, 16)
    info = InputInfo(
        mean=(0.5,) * 5, std=(0.25,) * 5, classes=("soil", "water", "wood"), home=tmp_path, names=tuple("abcdefghijkl")
    )
    return wrap_module(Spectral(), pixels, [0, 1, 2] * 4, info)

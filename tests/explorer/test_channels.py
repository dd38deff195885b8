"""Networks with other than 1 or 3 input channels: maps are shown, uploads are rejected."""

import numpy as np
import pytest
import torch
from torch import nn

from convscope.api import RunFolder
from convscope.api.explain import wrap_module
from convscope.explainers import module_tree
from convscope.explorer.backend import (
    ImageSets,
    Inputs,
    LabelCorrections,
    LiveRun,
    LoadedModel,
    NotAvailableError,
    shown_pixels,
)
from helpers.explorer_client import png


@pytest.fixture
def inputs(own_copy, monkeypatch):
    """Images of five channels and a network for them, in place of a run's."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(5, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(192, 10))
    subject = wrap_module(model.eval(), np.random.default_rng(0).random((6, 5, 8, 8), np.float32), range(6))
    live_run = LiveRun(own_copy)
    shown = LoadedModel("1", subject, live_run.loaded_model().config, module_tree(model, torch.zeros(1, 5, 8, 8)))
    monkeypatch.setattr(LiveRun, "loaded_model", lambda _: shown)
    return Inputs(live_run, ImageSets(live_run, LabelCorrections(RunFolder.open(own_copy))))


def test_maps_of_every_channel_and_a_unit_s_arithmetic(inputs):
    assert inputs.maps("validation-2", "input").shape == (5, 8, 8)
    assert inputs.select_maps("validation-2", "0", (0, None), None, True, False).values.shape == (3, 8, 8)
    unit = inputs.unit("validation-2", "2", 1, (4, 4), 10)
    assert unit["steps"][0]["count"] == 5 * 9
    assert all(abs(step["sum"] - step["value"]) <= step["bound"] for step in unit["steps"])
    assert unit["field"] == [3, 3, 6, 6]


def test_the_first_of_five_channels_are_shown_and_uploads_are_rejected(inputs):
    pixels = inputs.images("validation-2").pixels()[0]
    picture = shown_pixels(pixels)
    assert picture.shape == (8, 8, 3)
    assert np.abs(picture - 255 * pixels.numpy()[:3].transpose(1, 2, 0)).max() <= 0.5 + 1e-4
    with pytest.raises(NotAvailableError) as caught:
        inputs.add(png(np.zeros((8, 8), np.uint8)), "", None, False)
    assert str(caught.value) == (
        "upload: the network's input has 5 channels, image files have 1 or 3; choose an image of the run"
    )  # fmt: skip

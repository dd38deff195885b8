"""Networks with other than 1 or 3 input channels: maps, pictures and uploads."""

import io

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
    shown_pixels,
)
from convscope.web.errors import UnsupportedImageError
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


def test_the_first_of_five_channels_are_shown_or_those_chosen(inputs):
    pixels = inputs.images("validation-2").pixels()[0]
    for chosen, channels in (((), [0, 1, 2]), ((4, 1, 0), [4, 1, 0]), ((3,), [3, 3, 3])):
        picture = shown_pixels(pixels, chosen)
        assert picture.shape == (8, 8, 3)
        assert np.abs(picture - 255 * pixels.numpy()[channels].transpose(1, 2, 0)).max() <= 0.5 + 1e-4


def saved_array(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, values)
    return content.getvalue()


def test_an_uploaded_array_of_five_channels_is_read(inputs):
    values = np.random.default_rng(1).integers(0, 256, (8, 8, 5), dtype=np.uint8)
    image = inputs.add(saved_array(values), "five.npy", None, False)
    assert torch.equal(inputs.images(image).pixels()[0], torch.from_numpy(values.transpose(2, 0, 1)) / 255)
    assert inputs.maps(image, "input").shape == (5, 8, 8)


def test_uploads_of_other_numbers_of_channels_are_refused_in_a_sentence(inputs):
    grey, colour = np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint8)
    four = saved_array(np.zeros((8, 8, 4), np.uint8))
    for content, has in ((png(grey), "1 channel"), (png(colour), "3 channels"), (four, "4 channels")):
        with pytest.raises(UnsupportedImageError) as caught:
            inputs.add(content, "", None, False)
        assert str(caught.value) == f"upload: has {has}, not 5; give a file of 5, or train with data.channels {has[0]}"


def test_an_array_for_a_network_of_grey_images(client):
    drawn = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    ids = [client.post("/api/inputs", content=content).json()["id"] for content in (png(drawn), saved_array(drawn))]
    assert ids[0] == ids[1], "the same pixels"
    answer = client.post("/api/inputs", content=saved_array(drawn)[:100])
    assert answer.status_code == 415
    assert answer.json()["error"].startswith("upload: ")

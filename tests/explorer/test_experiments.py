"""A changed kernel and switched-off activations give what a network with that change gives."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from convscope.explainers import record

IMAGE = "validation-3"
LAYER = "stem.conv"


@pytest.fixture
def shown(client):
    """The network that the client shows, and its input for the image."""
    loaded = client.session.run.loaded_model()
    return loaded.subject.model, loaded.subject.input(client.session.run.images("validation").select([3])), loaded.task


def test_a_kernel_is_sent_row_by_row(client, shown):
    answer = client.get(f"/api/kernel?layer={LAYER}&channel=2").json()
    weight = shown[0].get_submodule(LAYER).weight
    assert np.array_equal(np.float32(answer["weights"]), weight[2, 0].detach().numpy())
    assert (answer["source"], answer["sources"]) == (0, weight.shape[1])


def test_a_changed_kernel_changes_map_and_answer_as_in_a_network_with_these_weights(client, shown):
    model, x, task = shown
    weights = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
    change = {"kernel": {"layer": LAYER, "channel": 2, "source": 0, "weights": weights}}
    before = client.post(f"/api/experiments/{IMAGE}", json={}).json()
    answer = client.post(f"/api/experiments/{IMAGE}", json=change).json()
    other = copy.deepcopy(model)
    other.get_submodule(LAYER).weight.data[2, 0] = torch.tensor(weights)
    with record(other, LAYER) as outputs, torch.no_grad():
        shares = task.class_probabilities(other(x))[0]
    assert answer["scores"][0]["probability"] == pytest.approx(float(shares.max()))
    assert answer["map"]["values"] == pytest.approx(outputs[LAYER][0, 2].flatten().tolist())
    assert (answer["map"]["height"], answer["map"]["width"]) == tuple(outputs[LAYER].shape[2:])
    assert before["scores"] == client.get(f"/api/inputs/{IMAGE}").json()["scores"]
    assert before["map"] is None
    assert client.post(f"/api/experiments/{IMAGE}", json={}).json() == before


def test_an_activation_that_is_off_passes_its_input_on(client, shown):
    model, x, task = shown
    names = [name for name, module in model.named_modules() if isinstance(module, nn.ReLU)]
    answer = client.post(f"/api/experiments/{IMAGE}", json={"off": names}).json()
    other = copy.deepcopy(model)
    for name in names:
        other.set_submodule(name, nn.Identity())
    with torch.no_grad():
        shares = task.class_probabilities(other(x))[0]
    assert answer["scores"][0]["probability"] == pytest.approx(float(shares.max()))
    assert not any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"off": [LAYER]}, "off: layer stem.conv is not an activation function; choose one that is"),
        ({"off": ["stem.none"]}, "layer stem.none: the network has no such layer"),
        (
            {"kernel": {"layer": "stages.0", "channel": 0, "source": 0, "weights": [[1.0]]}},
            "layer stages.0: not a convolution of at most 121 weights; choose another layer",
        ),
        (
            {"kernel": {"layer": LAYER, "channel": 0, "source": 0, "weights": [[1.0, 2.0]]}},
            "weights: layer stem.conv has kernels of 3 x 3; send as many rows and columns",
        ),
        (
            {"kernel": {"layer": LAYER, "channel": 9, "source": 0, "weights": [[1.0]]}},
            "channel 9: layer stem.conv has 4; choose from 0 to 3",
        ),
    ],
)
def test_a_change_that_does_not_fit_is_refused_in_one_sentence(client, change, message):
    response = client.post(f"/api/experiments/{IMAGE}", json=change)
    assert response.status_code == 400, response.text
    assert response.json()["error"].startswith(message)

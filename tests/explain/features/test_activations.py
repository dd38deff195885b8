import numpy as np
import pytest
import torch
from torch import nn

from convscope import explain
from convscope.errors import ModelError


def test_maps_equal_the_output_recorded_by_a_hook(trained, unseen):
    hooked = {}
    handle = trained[3].register_forward_hook(lambda _module, _inputs, output: hooked.update(maps=output.clone()))
    with torch.no_grad():
        trained(unseen.x[:2])
    handle.remove()
    found = explain.activations(trained, unseen.x[:2], ["3", "10"])
    assert np.array_equal(found["3"].maps, hooked["maps"].numpy())
    assert found["3"].maps.shape == (2, 16, 12, 12)
    assert found["10"].maps.shape == (2, 3, 1, 1)


def test_empty_channels_are_marked_and_counted():
    """Channel 0 is the image, channel 1 its negative, channel 2 the image times 1e-6."""
    model = nn.Sequential(nn.Conv2d(1, 3, 1, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -1.0, 1e-6]).reshape(3, 1, 1, 1))
    found = explain.activations(model, torch.ones(1, 1, 2, 2), ["1"])["1"]
    assert found.empty.tolist() == [[False, True, True]]
    assert found.to_json() == {
        "layer": "1", "shape": [3, 2, 2], "empty_share": [2 / 3], "empty_channels": [[1, 2]],
        "mean": [[1.0, 0.0, pytest.approx(1e-6)]], "largest": [[1.0, 0.0, pytest.approx(1e-6)]],
    }  # fmt: skip


def test_all_channels_of_a_dead_layer_are_empty():
    model = nn.Sequential(nn.ReLU())
    assert explain.activations(model, -torch.ones(2, 3, 2, 2), ["0"])["0"].empty.all()


def test_a_layer_of_another_shape_is_an_error():
    with pytest.raises(ModelError) as error:
        explain.activations(nn.Sequential(nn.Flatten(2)), torch.zeros(1, 2, 3, 3), ["0"])
    assert (
        str(error.value)
        == "layer 0: output of shape (1, 2, 9); choose a layer that returns maps (B, C, h, w) or vectors (B, C)"
    )

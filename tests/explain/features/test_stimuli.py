import numpy as np
import pytest
import torch
from torch import nn

from convscope import explain
from convscope.errors import ConfigError, DataError, ModelError


@pytest.mark.parametrize("batch", [1, 7, 45])
def test_ranks_equal_brute_force_for_any_batch_size_also_with_ties(batch):
    """Integers, so that sums are exact in any order and five repeated images tie exactly."""
    model = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.ReLU(), nn.MaxPool2d(2))
    with torch.no_grad():
        model[0].weight.copy_(torch.randint(-3, 4, model[0].weight.shape))
    x = torch.randint(0, 4, (40, 1, 10, 10)).float()
    x = torch.cat([x, x[:5]])
    found = explain.stimuli(model, "2", x.split(batch), 6)
    peaks = model(x).detach().amax((2, 3)).T.numpy()
    expected = np.argsort(-peaks, axis=1, kind="stable")[:, :6]
    assert np.array_equal(found.images, expected)
    assert np.array_equal(found.values, np.take_along_axis(peaks, expected, 1))
    assert found.num_images == 45


def test_values_of_a_trained_network_match_brute_force(trained, unseen):
    found = explain.stimuli(trained, "4", unseen.x.split(50), 9)
    peaks = explain.activations(trained, unseen.x, ["4"])["4"].maps.max((2, 3)).T
    assert np.allclose(found.values, -np.sort(-peaks, axis=1)[:, :9], rtol=1e-5)
    assert np.allclose(found.values, np.take_along_axis(peaks, found.images, 1), rtol=1e-5)


def test_the_strongest_patches_contain_the_square(trained, unseen):
    """The channel with the largest weight for class 1 responds to bright squares."""
    channel = int((trained[10].weight[1] - trained[10].weight[0]).argmax())
    found = explain.stimuli(trained, "7", unseen.x.split(32), 5)
    for image, (left, top, right, bottom) in zip(found.images[channel], found.boxes[channel], strict=True):
        assert unseen.masks[image, top:bottom, left:right].any()


def test_boxes_are_the_units_receptive_fields_and_crop_the_patch():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    nn.init.ones_(model[0].weight)
    x = torch.zeros(2, 1, 8, 8)
    x[1, 0, 4, 6] = 5.0
    x[0, 0, 0, 0] = 1.0
    found = explain.stimuli(model, "0", [x])
    assert found.images.tolist() == [[1, 0]]
    # the first, row by row, of the nine units whose receptive field contains the pixel
    assert found.boxes.tolist() == [[[4, 2, 7, 5], [0, 0, 2, 2]]]
    patch = explain.crop_patch(x[1].numpy(), found.boxes[0, 0])
    assert patch.shape == (1, 3, 3)
    assert patch[0, 2, 2] == 5


def test_silent_channels_are_listed_and_the_receptive_field_of_vectors_is_the_image():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    nn.init.constant_(model[1].weight, 1.0)
    with torch.no_grad():
        model[1].bias.copy_(torch.tensor([0.0, -100.0]))
    found = explain.stimuli(model, "2", [torch.rand(3, 1, 2, 2)])
    assert found.silent == (1,)
    assert found.boxes[0].tolist() == [[0, 0, 2, 2]] * 3
    numbers = found.to_json()
    assert numbers["silent"] == [1]
    assert numbers["num_images"] == 3
    assert numbers["receptive_field"]["size"] == [2, 2]


def test_error_messages():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(2))
    for call, kind, message in [
        (lambda: explain.stimuli(model, "0", []), DataError, "stimuli: no images; pass at least one batch"),
        (lambda: explain.stimuli(model, "0", [], 0), ConfigError,
         "count: 0 patches per channel; choose at least 1"),
        (lambda: explain.stimuli(model, "1", [torch.zeros(1, 1, 2, 2)]), ModelError,
         "layer 1: output of shape (1, 1, 4); choose a layer that returns maps (B, C, h, w) or vectors (B, C)"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message

import numpy as np
import pytest
import torch
from torch import nn

from convscope import explain
from convscope.errors import ConfigError, DataError, ModelError


@pytest.mark.parametrize("batch", [1, 7, 45])
def test_ranks_match_brute_force_whatever_the_batch_also_where_images_tie(batch):
    """Whole numbers, so that sums are exact in any order and five repeated images tie exactly."""
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


def test_the_best_patch_holds_the_planted_square(trained, unseen):
    """The channel that speaks most for class 1 is excited by bright squares, and its patch lies over one."""
    channel = int((trained[10].weight[1] - trained[10].weight[0]).argmax())
    found = explain.stimuli(trained, "7", unseen.x.split(32), 5)
    for image, (left, top, right, bottom) in zip(found.images[channel], found.boxes[channel], strict=True):
        assert unseen.masks[image, top:bottom, left:right].any()


def test_boxes_are_the_units_fields_and_cut_gives_the_patch():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    nn.init.ones_(model[0].weight)
    x = torch.zeros(2, 1, 8, 8)
    x[1, 0, 4, 6] = 5.0
    x[0, 0, 0, 0] = 1.0
    found = explain.stimuli(model, "0", [x])
    assert found.images.tolist() == [[1, 0]]
    # the first of the nine units that see the pixel, in reading order
    assert found.boxes.tolist() == [[[4, 2, 7, 5], [0, 0, 2, 2]]]
    patch = explain.crop_patch(x[1].numpy(), found.boxes[0, 0])
    assert patch.shape == (1, 3, 3)
    assert patch[0, 2, 2] == 5


def test_channels_that_nothing_excites_are_named_and_vectors_see_the_whole_image():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    nn.init.constant_(model[1].weight, 1.0)
    with torch.no_grad():
        model[1].bias.copy_(torch.tensor([0.0, -100.0]))
    found = explain.stimuli(model, "2", [torch.rand(3, 1, 2, 2)])
    assert found.silent == (1,)
    assert found.boxes[0].tolist() == [[0, 0, 2, 2]] * 3
    numbers = found.to_json()
    assert numbers["silent"] == [1]
    assert numbers["seen"] == 3
    assert numbers["receptive_field"]["size"] == [2, 2]


def test_errors_are_told():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(2))
    for call, kind, message in [
        (lambda: explain.stimuli(model, "0", []), DataError, "stimuli: no images; give at least one batch"),
        (lambda: explain.stimuli(model, "0", [], 0), ConfigError,
         "count: 0 patches for each channel; ask for at least 1"),
        (lambda: explain.stimuli(model, "1", [torch.zeros(1, 1, 2, 2)]), ModelError,
         "layer 1: gives a tensor of shape (1, 1, 4); choose one with maps (B, C, h, w) or vectors"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message

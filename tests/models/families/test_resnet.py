"""Networks with padded shortcuts have no unit that cannot learn."""

import torch

from convscope.models import MODELS
from convscope.training import measure_layers


def test_new_channels_of_padded_shortcuts_are_not_dead():
    """With the last norms at 0, 48 of the 64 channels of the last stage were 0 for every image, without a gradient."""
    model = MODELS["resnet20"](10, channels=3, size=(32, 32))
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert max(layer.dead or 0.0 for layer in measure_layers(model, images)) < 0.1


def test_blocks_with_projections_start_as_the_identity():
    model = MODELS["resnet18"](10, channels=3, size=(32, 32), width=4)
    assert model.get_submodule("stages.0.0.body.2.norm").weight.abs().max() == 0

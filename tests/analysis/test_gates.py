"""Gates of squeeze-and-excite blocks: found, read and averaged by class, or refused where there are none."""

import numpy as np
import pytest
import torch
from torch import nn

from convscope.api.explain import InputInfo, explain, wrap_module
from convscope.errors import ConfigError
from convscope.explainers import Gates, gate_layers, gates
from convscope.models.components import SqueezeExcite
from helpers.narrow_networks import make


@pytest.fixture
def gated(tmp_path):
    """A custom network with one block, and four images of two classes."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3), SqueezeExcite(6, reduction=2), nn.Sigmoid(), nn.Flatten(), nn.LazyLinear(2)
    )
    pixels = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    model(torch.zeros(1, 3, 8, 8))
    info = InputInfo(classes=("ant", "bee"), home=tmp_path)
    return wrap_module(model, pixels, [0, 0, 1, 1], info)


def test_a_sigmoid_with_one_value_per_channel_is_a_gate_and_one_over_positions_is_not(gated):
    assert gate_layers(gated.model, torch.zeros(2, 3, 8, 8)) == ["1.gate"]


def test_gates_are_those_by_which_the_block_multiplies_its_channels(gated):
    x = gated.input(gated.read("validation"))
    [found] = gates(gated.model, [x[:3], x[3:]], ["1.gate"])
    maps = gated.model[0](x)
    expected = (gated.model[1](maps) / maps).flatten(2).nanmedian(2).values
    np.testing.assert_allclose(found.values, expected.detach(), rtol=1e-4)


def test_the_mean_of_a_class_and_the_share_between_classes_by_hand():
    values = np.array([[0.1, 0.5], [0.3, 0.5], [0.8, 0.5], [0.8, 0.5]])
    found = Gates("se.gate", values)
    targets = np.array([0, 0, 1, 1])
    np.testing.assert_allclose(found.of_classes(targets, 3)[:2], [[0.2, 0.5], [0.8, 0.5]])
    assert np.isnan(found.of_classes(targets, 3)[2]).all()
    assert found.between_classes(targets) == pytest.approx(1 - 0.02 / 0.38)  # the mean is 0.5
    assert Gates("se.gate", values[:, 1:]).between_classes(targets) == 0


def test_each_block_has_a_figure_with_a_row_per_class_or_per_image(gated):
    result = explain(gated, "gates", {})
    [block] = result.numbers["blocks"]
    assert (block["block"], block["rows"], block["channels"]) == ("1.gate", ["ant", "bee"], 6)
    assert [path.name for path in result.pictures] == ["1.gate.png"]
    assert result.summary[0].startswith("1.gate: gates from 0.")
    [block] = explain(gated, "gates", {"one_by_one": True}).numbers["blocks"]
    assert block["rows"] == [f"image {i}" for i in range(4)]


def test_a_network_without_gates_is_refused(tmp_path):
    plain = wrap_module(
        nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), torch.zeros(2, 3, 8, 8), info=InputInfo(home=tmp_path)
    )
    with pytest.raises(ConfigError) as caught:
        explain(plain, "gates", {})
    assert str(caught.value) == (
        "gates: Sequential has no such squeeze-and-excite blocks; train with --model se_resnet18 to have some"
    )


def test_every_block_of_a_squeeze_and_excite_resnet_has_gates():
    assert len(gate_layers(make("se_resnet18").eval(), torch.zeros(1, 3, 64, 64))) == 8

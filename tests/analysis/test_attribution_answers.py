"""Attribution of any answer of a task: differences of answers, numbers, sides of a box, pixels of a mask."""

import pytest
import torch
from torch import nn

from convscope.analysis.runner import explain
from convscope.analysis.selection import attribution_layer, chosen_pixel
from convscope.analysis.target import InputInfo, wrap_module
from convscope.errors import ConfigError
from convscope.models import build, resolve

WEIGHT = torch.tensor([[1.0, 2, 0, -1], [0, -1, 3, 1], [0.5, 0, 0, 2]])


class Sums(nn.Module):
    """Three weighted sums of the four pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(WEIGHT.clone())

    def forward(self, x):
        return x.flatten(1) @ self.weight.T


@pytest.fixture
def subject(tmp_path):
    pixels = torch.tensor([[[[0.5, 1.0], [0.25, 1.0]]]])
    return wrap_module(Sums(), pixels, [1], InputInfo(classes=("a", "b", "c"), home=tmp_path))


def test_the_attribution_of_a_difference_adds_up_to_the_difference_of_the_scores(subject):
    how = {"method": ["integrated_gradients"], "target": "c", "against": "a"}
    result = explain(subject, "attribution", how)
    (found,) = result.numbers["maps"]
    pixels = torch.tensor([0.5, 1.0, 0.25, 1.0])
    difference = float(((WEIGHT[2] - WEIGHT[0]) * pixels).sum())
    assert found["scores"] == [pytest.approx(difference)]
    assert found["largest"] == [pytest.approx(3.0, abs=1e-5)]  # the last pixel: (2 - -1) * 1.0
    assert found["smallest"] == [pytest.approx(-2.0, abs=1e-5)]
    assert result.numbers["against"] == "a"
    assert result.numbers["answers"] == ["c"]


def test_without_a_target_the_predicted_class_is_explained(subject):
    found = explain(subject, "attribution", {"method": ["input_gradients"]}).numbers
    assert found["answers"] == found["predictions"] == ["c"]
    assert not subject.model._forward_hooks


def test_an_unknown_answer_is_refused_with_the_name_of_the_setting(subject):
    with pytest.raises(ConfigError) as target:
        explain(subject, "attribution", {"method": ["input_gradients"], "target": "z"})
    assert str(target.value) == "target: no answer z; choose one of a, b, c"
    with pytest.raises(ConfigError) as against:
        explain(subject, "attribution", {"method": ["input_gradients"], "against": "z"})
    assert str(against.value) == "against: no answer z; choose one of a, b, c"


def test_a_pixel_has_a_row_and_a_column(subject):
    assert (chosen_pixel(()), chosen_pixel((3, 4))) == (None, (3, 4))
    with pytest.raises(ConfigError) as single:
        chosen_pixel((3,))
    assert str(single.value) == "pixel: 3; give the row and the column, such as 12,30"
    with pytest.raises(ConfigError) as whole:
        explain(subject, "attribution", {"method": ["input_gradients"], "pixel": [0, 0]})
    assert str(whole.value) == "pixel: the task classify answers for the whole image; omit pixel"


def test_class_maps_of_a_u_net_are_taken_at_the_last_level_of_its_decoder():
    model = build(resolve("unet", 2, 1, (32, 32), {"encoder": "resnet18", "norm": "batch"}))
    assert attribution_layer(model, torch.zeros(1, 1, 32, 32)) == f"decoder.{len(model.decoder) - 1}"

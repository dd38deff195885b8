import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convscope import explain

SIZES = [  # layers, receptive field, stride: by hand, r += (k - 1) * stride product
    ([nn.Conv2d(1, 2, 3, padding=1)], 3, 1),
    ([nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1)], 5, 1),
    ([nn.Conv2d(1, 2, 7, stride=2, padding=3), nn.BatchNorm2d(2), nn.MaxPool2d(3, 2, 1)], 11, 4),
    ([nn.Conv2d(1, 2, 3, padding=2, dilation=2), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3)], 10, 2),
    ([nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2), nn.SiLU(), nn.MaxPool2d(2, 2, ceil_mode=True), nn.Dropout()], 4, 2),
    ([nn.AvgPool2d(4)], 4, 4),
]


@pytest.mark.parametrize(("layers", "size", "stride"), SIZES)
def test_receptive_fields_equal_results_computed_by_hand(layers, size, stride):
    field = explain.receptive_field(nn.Sequential(*layers), str(len(layers) - 1), torch.zeros(1, 1, 64, 48))
    assert field.size == (size, size)
    assert field.stride == (stride, stride)


class Branches(nn.Module):
    """A residual sum and a concatenation written as functions; a gate computed from the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 2, 5, padding=2)
        self.gate, self.last = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x):
        maps = torch.cat([F.relu(self.narrow(x)), torch.relu(self.wide(x)) + x], 1)
        return self.last(maps * torch.sigmoid(self.gate(maps.mean((2, 3), keepdim=True))))


def test_the_widest_branch_counts_and_gates_do_not():
    assert explain.receptive_field(Branches(), "last", torch.zeros(1, 1, 32, 32)).size == (7, 7)


class Residual(nn.Module):
    def __init__(self, c_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(c_in, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1)
        )
        self.short = nn.Conv2d(c_in, width, 1, stride)

    def forward(self, x):
        return F.relu(self.branch(x) + self.short(x))


def test_the_receptive_fields_of_resnet_18_are_those_of_its_3x3_path():
    """11, 43, 99, 211: r += (k - 1) * stride product over the 3 x 3 path of He et al. 2016, table 1."""
    stages = [nn.Sequential(Residual(4, 4, stride), Residual(4, 4, 1)) for stride in (1, 2, 2)]
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)), *stages)
    fields = [explain.receptive_field(model, str(stage), torch.zeros(1, 3, 320, 320)) for stage in range(4)]
    assert [field.size[0] for field in fields] == [11, 43, 99, 211]
    assert [field.stride[1] for field in fields] == [4, 4, 8, 16]


def test_boxes_equal_the_support_of_each_units_gradient():
    """With weights of ones and no max-pooling, the gradient is nonzero exactly in the receptive field."""
    model = nn.Sequential(nn.Conv2d(1, 1, 5, stride=2, padding=2), nn.Conv2d(1, 1, 3, stride=2, padding=1))
    for weight in model.parameters():
        nn.init.ones_(weight)
    x = torch.ones(1, 1, 23, 18, requires_grad=True)
    output = model(x)
    field = explain.receptive_field(model, "1", x.detach())
    for row in range(output.shape[2]):
        for column in range(output.shape[3]):
            (gradient,) = torch.autograd.grad(output[0, 0, row, column], x, retain_graph=True)
            rows, columns = gradient[0, 0].nonzero(as_tuple=True)
            support = (columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1)
            assert field.box(row, column) == support


def test_upsampled_maps_have_a_stride_below_one():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Upsample(scale_factor=2))
    field = explain.receptive_field(model, "1", torch.zeros(1, 1, 32, 32))
    assert field.stride == (0.5, 0.5)
    left, top, right, bottom = field.box(32, 32)
    assert left <= 15
    assert top <= 15
    assert right >= 18
    assert bottom >= 18


@pytest.mark.parametrize("layer", ["1", "3"])
def test_after_global_pooling_and_for_vectors_the_receptive_field_is_the_image(layer):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    field = explain.receptive_field(model, layer, torch.zeros(1, 1, 20, 30))
    assert field.size == (20, 30)
    assert field.box(0, 0) == (0, 0, 30, 20)


def test_a_receptive_field_larger_than_the_image_is_clipped_to_the_image():
    model = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(10)))
    field = explain.receptive_field(model, "9", torch.zeros(1, 1, 12, 12))
    assert field.size == (12, 12)
    assert field.to_json() == {"layer": "9", "image": [12, 12], "size": [12, 12], "stride": [1.0, 1.0]}

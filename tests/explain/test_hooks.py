import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convscope.errors import ModelError
from convscope.explain.hooks import device_and_dtype, find_layer, record


class SharedReLU(nn.Module):
    """One in-place ReLU that runs twice, and a layer that is never executed."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.first, self.second = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 2, 1)
        self.unused = nn.Conv2d(1, 1, 1)
        self.passes = 0

    def forward(self, x):
        middle = self.relu(self.first(x))
        last = self.relu(self.second(middle))
        self.passes += 1
        return last


class TupleOutput(nn.Module):
    def forward(self, x):
        return x, x


def test_the_record_equals_the_layers_output_although_the_next_layer_works_in_place():
    model, x = SharedReLU(), torch.randn(2, 1, 4, 4)
    with record(model, "first", "second", "relu") as kept:
        output = model(x)
    middle = F.relu(model.first(x))
    assert torch.equal(kept["first"], model.first(x))
    assert torch.equal(kept["second"], model.second(middle))
    assert torch.equal(kept["relu"], output)
    assert torch.equal(output, F.relu(model.second(middle)))


def test_the_gradient_of_a_recorded_output_equals_the_chain_rule_by_hand():
    model = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with record(model, "0", gradients=True) as kept:
        score = model(torch.ones(1, 1, 2, 2)).sum()
        (slope,) = torch.autograd.grad(score, kept["0"])
    assert torch.equal(slope.flatten(), model[2].weight.flatten())


def test_the_second_pass_stops_after_the_last_recorded_layer_with_the_same_result():
    model, x, y = SharedReLU(), torch.randn(1, 1, 4, 4), torch.randn(1, 1, 4, 4)
    with record(model, "second") as kept:
        kept.forward(x)
        assert model.passes == 1
        kept.forward(y)
        assert model.passes == 1
        part = kept["second"]
        model(y)
        assert torch.equal(kept["second"], part)


def test_a_layer_that_runs_twice_records_its_last_output_also_if_the_pass_stops_early():
    model, x = SharedReLU(), torch.randn(1, 1, 4, 4)
    with record(model, "relu") as kept:
        kept.forward(torch.zeros(1, 1, 4, 4))
        kept.forward(x)
    assert torch.equal(kept["relu"], model(x))


def test_the_empty_name_is_the_networks_output():
    model, x = SharedReLU(), torch.randn(1, 1, 4, 4)
    with record(model, "") as kept:
        assert torch.equal(model(x), kept[""])


def test_the_users_hooks_remain():
    model = SharedReLU()
    model.first.register_forward_hook(lambda *_: None)
    with record(model, "first"):
        pass
    assert len(model.first._forward_hooks) == 1


def test_an_unknown_layer_is_an_error_that_suggests_the_nearest_name():
    with pytest.raises(ModelError) as error:
        find_layer(SharedReLU(), "secnd")
    assert str(error.value) == "layer secnd: the network has no such layer; did you mean second?"


def test_without_a_near_name_the_outermost_layers_are_listed():
    deep = nn.Sequential(nn.Sequential(nn.ReLU(), nn.ReLU()), nn.ReLU())
    with pytest.raises(ModelError) as error:
        find_layer(deep, "xyz")
    assert str(error.value) == "layer xyz: the network has no such layer; choose one of 0, 1"


def test_a_layer_that_did_not_run_is_an_error():
    model = SharedReLU()
    with record(model, "unused") as kept:
        model(torch.zeros(1, 1, 4, 4))
        with pytest.raises(ModelError) as error:
            kept["unused"]
    assert str(error.value) == "layer unused: not executed in the forward pass; choose a layer that is executed"


def test_a_layer_whose_output_is_not_a_tensor_is_an_error():
    model = nn.Sequential(TupleOutput())
    with record(model, "0"), pytest.raises(ModelError) as error:
        model(torch.zeros(1))
    assert str(error.value) == "layer 0: output is a tuple, not a tensor; choose a layer inside or before it"


def test_vectors_are_not_maps():
    model = nn.Sequential(nn.Flatten())
    with record(model, "0") as kept:
        model(torch.zeros(2, 1, 4, 4))
        with pytest.raises(ModelError) as error:
            kept.maps("0")
    assert str(error.value) == "layer 0: output of shape (2, 16), not maps (B, C, h, w); choose a stage"


def test_device_and_dtype_are_those_of_the_parameters():
    assert device_and_dtype(nn.Conv2d(1, 1, 1).double()) == (torch.device("cpu"), torch.float64)
    assert device_and_dtype(nn.ReLU()) == (torch.device("cpu"), torch.float32)

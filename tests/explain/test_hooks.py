import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convscope.errors import ModelError
from convscope.explain.hooks import device_and_dtype, find_layer, record


class Twice(nn.Module):
    """One ReLU that works in place and runs twice; a layer that is never used; one that gives a pair."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.first, self.second = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 2, 1)
        self.spare = nn.Conv2d(1, 1, 1)
        self.passes = 0

    def forward(self, x):
        middle = self.relu(self.first(x))
        last = self.relu(self.second(middle))
        self.passes += 1
        return last


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_what_is_kept_equals_the_layers_own_output_though_the_next_works_in_place():
    model, x = Twice(), torch.randn(2, 1, 4, 4)
    with record(model, "first", "second", "relu") as kept:
        output = model(x)
    middle = F.relu(model.first(x))
    assert torch.equal(kept["first"], model.first(x))
    assert torch.equal(kept["second"], model.second(middle))
    assert torch.equal(kept["relu"], output)
    assert torch.equal(output, F.relu(model.second(middle)))


def test_the_gradient_of_what_is_kept_equals_the_chain_rule_by_hand():
    model = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with record(model, "0", gradients=True) as kept:
        score = model(torch.ones(1, 1, 2, 2)).sum()
        (slope,) = torch.autograd.grad(score, kept["0"])
    assert torch.equal(slope.flatten(), model[2].weight.flatten())


def test_from_the_second_pass_on_the_network_runs_only_as_far_as_needed_and_gives_the_same():
    model, x, y = Twice(), torch.randn(1, 1, 4, 4), torch.randn(1, 1, 4, 4)
    with record(model, "second") as kept:
        kept.forward(x)
        assert model.passes == 1
        kept.forward(y)
        assert model.passes == 1
        part = kept["second"]
        model(y)
        assert torch.equal(kept["second"], part)


def test_a_layer_that_runs_twice_gives_its_last_answer_also_when_the_pass_ends_early():
    model, x = Twice(), torch.randn(1, 1, 4, 4)
    with record(model, "relu") as kept:
        kept.forward(torch.zeros(1, 1, 4, 4))
        kept.forward(x)
    assert torch.equal(kept["relu"], model(x))


def test_the_empty_name_is_the_networks_own_output():
    model, x = Twice(), torch.randn(1, 1, 4, 4)
    with record(model, "") as kept:
        assert torch.equal(model(x), kept[""])


def test_hooks_of_the_user_stay():
    model = Twice()
    model.first.register_forward_hook(lambda *_: None)
    with record(model, "first"):
        pass
    assert len(model.first._forward_hooks) == 1


def test_an_unknown_layer_is_an_error_with_the_nearest_name():
    with pytest.raises(ModelError) as error:
        find_layer(Twice(), "secnd")
    assert str(error.value) == "layer secnd: the network has no such layer; did you mean second?"


def test_without_a_near_name_the_outermost_layers_are_offered():
    deep = nn.Sequential(nn.Sequential(nn.ReLU(), nn.ReLU()), nn.ReLU())
    with pytest.raises(ModelError) as error:
        find_layer(deep, "xyz")
    assert str(error.value) == "layer xyz: the network has no such layer; choose one of 0, 1"


def test_a_layer_that_did_not_run_is_an_error():
    model = Twice()
    with record(model, "spare") as kept:
        model(torch.zeros(1, 1, 4, 4))
        with pytest.raises(ModelError) as error:
            kept["spare"]
    assert str(error.value) == "layer spare: the network did not pass through it; choose one that it passes through"


def test_a_layer_that_gives_no_tensor_is_an_error():
    model = nn.Sequential(Pair())
    with record(model, "0"), pytest.raises(ModelError) as error:
        model(torch.zeros(1))
    assert str(error.value) == "layer 0: gives a tuple, not one tensor; choose a layer inside or before it"


def test_vectors_are_not_maps():
    model = nn.Sequential(nn.Flatten())
    with record(model, "0") as kept:
        model(torch.zeros(2, 1, 4, 4))
        with pytest.raises(ModelError) as error:
            kept.maps("0")
    assert str(error.value) == "layer 0: gives a tensor of shape (2, 16), not maps (B, C, h, w); choose a stage"


def test_home_is_where_the_weights_are():
    assert device_and_dtype(nn.Conv2d(1, 1, 1).double()) == (torch.device("cpu"), torch.float64)
    assert device_and_dtype(nn.ReLU()) == (torch.device("cpu"), torch.float32)

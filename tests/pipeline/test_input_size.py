"""A smaller input where the budget does not allow the size of pretraining."""

import pytest
import torch
from torch import nn

from convscope.pipeline import input_size
from convscope.pipeline.input_size import forward_seconds, smaller_size
from convscope.runs.recipe import DataSettings, Recipe, TrainSettings

CPU = torch.device("cpu")


def recipe(budget, size=(224, 224)):
    return Recipe(data=DataSettings(size=size), train=TrainSettings(budget=budget))


@pytest.fixture(autouse=True)
def _idle(monkeypatch):
    """A machine on which nothing else runs."""
    monkeypatch.setattr(input_size, "slowness", lambda: 1.0)


@pytest.mark.parametrize(
    ("seconds", "size"), [(0.01, None), (0.08, None), (0.09, (160, 160)), (0.25, (112, 112)), (9.0, (112, 112))]
)
def test_the_largest_size_is_chosen_at_which_half_of_the_training_images_and_all_others_fit(monkeypatch, seconds, size):
    """Of 60 s, 50 are left after the end's share, and features get 40 of them, for 500 images."""
    monkeypatch.setattr(input_size, "forward_seconds", lambda *_given: seconds)
    found = smaller_size(recipe(60.0), nn.Identity(), (800, 100), CPU)
    assert (found and found["data"]["size"]) == size
    if found:
        assert found.source("data.size") == (
            "chosen for the budget: 900 images at 224 x 224 would take too long on this machine"
        )


def test_what_is_spent_and_a_busy_machine_leave_less_time(monkeypatch):
    """Of 60 s, 45 are left after 5 s and the end's share, which is 30 s where everything takes three times as long."""
    monkeypatch.setattr(input_size, "forward_seconds", lambda *_given: 0.071)
    assert smaller_size(recipe(60.0), nn.Identity(), (800, 100), CPU, spent=5.0) is None
    monkeypatch.setattr(input_size, "slowness", lambda: 3.0)
    assert smaller_size(recipe(60.0), nn.Identity(), (800, 100), CPU, spent=5.0)["data"]["size"] == (160, 160)


def test_small_images_and_runs_without_a_budget_keep_their_size(monkeypatch):
    monkeypatch.setattr(input_size, "forward_seconds", lambda *_given: 9.0)
    assert smaller_size(recipe(0.0), nn.Identity(), (800, 100), CPU) is None
    assert smaller_size(recipe(60.0, (64, 64)), nn.Identity(), (800, 100), CPU) is None


def test_the_speed_is_measured_without_changing_the_network():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert forward_seconds(recipe(60.0, (32, 32)), model, CPU) > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training

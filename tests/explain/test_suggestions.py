import copy

import numpy as np
import pytest
import torch
from torch import nn

from convscope import explain
from convscope.errors import DataError, ModelError
from convscope.explain import ReceptiveField


@pytest.fixture
def damaged(trained):
    """The trained network with filter 2 emptied and filter 5 made a copy of filter 1."""
    model = copy.deepcopy(trained)
    with torch.no_grad():
        model[0].weight[2] = 0
        model[0].bias[2] = -1
        model[0].weight[5] = model[0].weight[1]
    return model


def test_a_planted_dead_filter_and_a_planted_copy_lead_to_suggestions(damaged):
    dead, copied = explain.suggest_from_filters(explain.filters(damaged))
    assert dead.to_json() == {
        "kind": "dead", "layer": "0", "finding": "1 of 8 filters have next to no weight: 2", "figure": 0.125,
        "suggestion": "train it with 7 filters, or a lower learning rate or weight decay",
    }  # fmt: skip
    assert copied.finding == "1 of 8 filters repeat another: 5"
    assert copied.suggestion == "train it with 7 filters"


def test_channels_that_no_image_excites_lead_to_a_suggestion(damaged, unseen):
    found = explain.stimuli(damaged, "1", [unseen.x])
    (suggestion,) = explain.suggest_from_stimuli(found)
    assert 2 in found.silent
    count = len(found.silent)
    assert suggestion.finding.startswith(f"{count} of 8 channels stay at or below 0 on all 120 images: ")
    assert suggestion.figure == count / 8


def test_a_sound_layer_leads_to_none(trained):
    assert explain.suggest_from_filters(explain.filters(trained, "10")) == ()
    model = nn.Sequential(nn.Identity())
    assert explain.suggest_from_stimuli(explain.stimuli(model, "0", [torch.ones(1, 1, 2, 2)])) == ()


class Blocks(nn.Module):
    """The trained network with two blocks put in that keep the shape: one does nothing, one destroys everything."""

    def __init__(self, trained: nn.Sequential) -> None:
        super().__init__()
        self.start, self.end = trained[:8], trained[8:]
        self.idle = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False), nn.ReLU())
        nn.init.dirac_(self.idle[0].weight)
        self.needed = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False))
        with torch.no_grad():
            self.needed[0].weight.copy_(-torch.eye(16)[..., None, None])
        self.undo = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False))
        self.undo.load_state_dict(self.needed.state_dict())

    def forward(self, x):
        return self.end(self.undo(self.needed(self.idle(self.start(x)))))


def test_removing_a_block_that_does_nothing_costs_nothing_and_leads_to_a_suggestion(trained, unseen):
    model = Blocks(copy.deepcopy(trained))
    told = []
    found = explain.removal_costs(
        model, lambda: zip(unseen.x.split(40), unseen.targets.split(40), strict=True), None, lambda *n: told.append(n)
    )
    costs = {removal.layer: removal.cost for removal in found}
    assert set(costs) == {"idle", "needed", "undo"}
    assert costs["idle"] == 0
    assert costs["needed"] > 0.2
    assert (found[0].layer, found[0].num_parameters) == ("idle", 256)
    assert told[-1] == (3, 3)
    (suggestion,) = explain.suggest_from_removals(found)
    assert suggestion.layer == "idle"
    told = f"accuracy without it: {found[0].accuracy:.3f} of 120 images, +0.000 lost; weights saved: 256"
    assert suggestion.finding == told


def test_parts_of_a_part_to_spare_are_not_named_too():
    found = [
        explain.Removal(layer, 0.9, cost, 10, 50)
        for layer, cost in [("a.1.body", 0.0), ("a.1", 0.0), ("a.10", 0.0), ("b", 0.2)]
    ]
    assert [one.layer for one in explain.suggest_from_removals(found)] == ["a.1", "a.10"]


def field(size: int, image: int = 100) -> ReceptiveField:
    return ReceptiveField("last", (image, image), (size, size), (8, 8), (0, 0), (size, size))


def test_a_field_smaller_than_the_objects_or_many_times_larger_leads_to_a_suggestion():
    objects = np.array([[20, 30], [40, 10], [60, 60]])
    (small,) = explain.suggest_from_field(field(35), objects)
    assert small.kind == "field too small"
    assert small.finding == "a unit sees 35 pixels, and 67% of the objects are larger (half are over 40)"
    assert explain.suggest_from_field(field(70), objects) == ()
    (large,) = explain.suggest_from_field(field(90), objects // 4)
    assert large.kind == "field too large"
    assert large.finding == "a unit sees 90 pixels, 9.0 times a typical object"
    (whole,) = explain.suggest_from_field(field(100), objects // 4)
    assert whole.finding == "a unit sees 100 pixels (the whole image), 10.0 times a typical object"


def test_errors_are_told(trained, unseen):
    with pytest.raises(DataError) as error:
        explain.removal_costs(trained, list)
    assert str(error.value) == "removal costs: no images; give at least one batch"
    with pytest.raises(ModelError) as shape:
        explain.removal_costs(trained, lambda: [(unseen.x, unseen.targets)], ["3"])
    assert str(shape.value) == "layer 3: its output has not its input's shape; choose one that keeps it"

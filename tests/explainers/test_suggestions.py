import copy

import numpy as np
import pytest
import torch
from torch import nn

from convscope import explainers
from convscope.errors import DataError, ModelError
from convscope.explainers import ReceptiveField


@pytest.fixture
def damaged(trained):
    """The trained network with filter 2 set to zero and filter 5 a copy of filter 1."""
    model = copy.deepcopy(trained)
    with torch.no_grad():
        model[0].weight[2] = 0
        model[0].bias[2] = -1
        model[0].weight[5] = model[0].weight[1]
    return model


def test_a_dead_and_a_duplicate_filter_lead_to_suggestions(damaged):
    dead, copied = explainers.suggest_from_filters(explainers.filters(damaged))
    assert dead.to_json() == {
        "kind": "dead", "layer": "0", "finding": "1 of 8 filters have near-zero weights: 2", "figure": 0.125,
        "suggestion": "train it with 7 filters, or a lower learning rate or weight decay",
    }  # fmt: skip
    assert copied.finding == "1 of 8 filters duplicate another: 5"
    assert copied.suggestion == "train it with 7 filters"


def test_channels_that_a_norm_multiplies_by_almost_nothing_lead_to_a_suggestion():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4, affine=False))
    assert explainers.suggest_from_norms(model) == ()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([2.0, 0.015, -1.0, 0.0]))
    (found,) = explainers.suggest_from_norms(model)
    assert (found.kind, found.layer, found.figure) == ("dead", "1", 0.5)
    assert found.finding == "2 of 4 channels are multiplied by almost 0: 1, 3"
    assert found.suggestion == "train it with 2 channels, or a lower weight decay of the norms"
    assert explainers.suggest_from_norms(model, ("0",)) == ()


def test_channels_that_no_image_activates_lead_to_a_suggestion(damaged, unseen):
    found = explainers.stimuli(damaged, "1", [unseen.x])
    (suggestion,) = explainers.suggest_from_stimuli(found)
    assert 2 in found.silent
    count = len(found.silent)
    assert suggestion.finding.startswith(f"{count} of 8 channels stay at or below 0 on all 120 images: ")
    assert suggestion.figure == count / 8


def test_a_layer_without_dead_or_duplicate_filters_leads_to_no_suggestion(trained):
    assert explainers.suggest_from_filters(explainers.filters(trained, "10")) == ()
    model = nn.Sequential(nn.Identity())
    assert explainers.suggest_from_stimuli(explainers.stimuli(model, "0", [torch.ones(1, 1, 2, 2)])) == ()


class Blocks(nn.Module):
    """The trained network with an identity block, and a block that negates the maps with one that reverts it."""

    def __init__(self, trained: nn.Sequential) -> None:
        super().__init__()
        self.start, self.end = trained[:8], trained[8:]
        self.identity = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False), nn.ReLU())
        nn.init.dirac_(self.identity[0].weight)
        self.negate = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False))
        with torch.no_grad():
            self.negate[0].weight.copy_(-torch.eye(16)[..., None, None])
        self.revert = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False))
        self.revert.load_state_dict(self.negate.state_dict())

    def forward(self, x):
        return self.end(self.revert(self.negate(self.identity(self.start(x)))))


def test_removing_an_identity_block_costs_nothing_and_leads_to_a_suggestion(trained, unseen):
    model = Blocks(copy.deepcopy(trained))
    progress = []
    found = explainers.removal_costs(
        model,
        lambda: zip(unseen.x.split(40), unseen.targets.split(40), strict=True),
        None,
        lambda *n: progress.append(n),
    )
    costs = {removal.layer: removal.cost for removal in found}
    assert set(costs) == {"identity", "negate", "revert"}
    assert costs["identity"] == 0
    assert costs["negate"] > 0.2
    assert (found[0].layer, found[0].num_parameters) == ("identity", 256)
    assert progress[-1] == (3, 3)
    (suggestion,) = explainers.suggest_from_removals(found)
    assert suggestion.layer == "identity"
    finding = f"accuracy without it: {found[0].accuracy:.3f} on 120 images, +0.000 lost; parameters saved: 256"
    assert suggestion.finding == finding


def test_modules_inside_a_removable_module_are_not_suggested():
    found = [
        explainers.Removal(layer, 0.9, cost, 10, 50)
        for layer, cost in [("a.1.body", 0.0), ("a.1", 0.0), ("a.10", 0.0), ("b", 0.2)]
    ]
    assert [one.layer for one in explainers.suggest_from_removals(found)] == ["a.1", "a.10"]


def field(size: int, image: int = 100) -> ReceptiveField:
    return ReceptiveField("last", (image, image), (size, size), (8, 8), (0, 0), (size, size))


def test_a_receptive_field_smaller_than_the_objects_or_much_larger_leads_to_a_suggestion():
    objects = np.array([[20, 30], [40, 10], [60, 60]])
    (small,) = explainers.suggest_from_field(field(35), objects)
    assert small.kind == "receptive field too small"
    assert small.finding == "receptive field of 35 pixels; 67% of the objects are larger (median 40 pixels)"
    assert explainers.suggest_from_field(field(70), objects) == ()
    (large,) = explainers.suggest_from_field(field(90), objects // 4)
    assert large.kind == "receptive field too large"
    assert large.finding == "receptive field of 90 pixels, 9.0 times the median object"
    (whole,) = explainers.suggest_from_field(field(100), objects // 4)
    assert whole.finding == "receptive field of 100 pixels (the whole image), 10.0 times the median object"


def test_error_messages(trained, unseen):
    with pytest.raises(DataError) as error:
        explainers.removal_costs(trained, list)
    assert str(error.value) == "removal costs: no images; pass at least one batch"
    with pytest.raises(ModelError) as shape:
        explainers.removal_costs(trained, lambda: [(unseen.x, unseen.targets)], ["3"])
    assert str(shape.value) == "layer 3: its output and input shapes differ; choose a layer that preserves the shape"

import pytest
import torch
from torch import nn

from convscope import explain
from convscope.errors import DataError


@pytest.fixture
def labelled(unseen):
    """Two halves of the unseen images, to fit and to test the probes."""
    return lambda: [(unseen.x[:60], unseen.targets[:60])], lambda: [(unseen.x[60:], unseen.targets[60:])]


def test_features_extracted_by_a_layer_raise_the_accuracy_of_the_probe_after_it():
    """Stripes and uniform grey have the same mean; edge detection separates them."""
    stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 8, 8)
    x = torch.stack([stripes if odd else torch.full((1, 8, 8), 0.5) for odd in (0, 1) * 10])
    batches = lambda: [(x, torch.tensor([0, 1] * 10))]  # noqa: E731
    model = nn.Sequential(nn.Identity(), nn.Conv2d(1, 2, (1, 2), bias=False), nn.ReLU())
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).reshape(2, 1, 1, 2))
    progress = []
    before, after = explain.probe_layers(model, ["0", "2"], batches, batches, lambda *done: progress.append(done))
    assert before.to_json() == {"layer": "0", "channels": 1, "accuracy": 0.5, "images": 20}
    assert after.to_json() == {"layer": "2", "channels": 2, "accuracy": 1.0, "images": 20}
    assert progress == [(1, 2), (2, 2)]


def test_a_probe_of_a_trained_network_s_last_stage_classifies_unseen_images(trained, labelled):
    assert explain.probe_layers(trained, ["7"], *labelled)[0].accuracy > 0.95


def test_only_stages_that_add_no_accuracy_are_suggested_for_removal():
    def found(*accuracies):
        return [explain.LayerProbe(f"stages.{i}", 8, accuracy, 500) for i, accuracy in enumerate(accuracies)]

    (suggestion,) = explain.suggest_from_probes(found(0.6, 0.92, 0.91, 0.922, 0.9))
    assert suggestion.kind == "redundant stages"
    assert suggestion.layer == "stages.1"
    assert suggestion.finding == (
        "a linear probe after it reaches accuracy 0.920 on 500 images, after stages.4 0.900: later stages add nothing"
    )
    assert suggestion.suggestion == "train the network without the layers after stages.1"
    assert suggestion.figure == pytest.approx(-0.02)
    assert explain.suggest_from_probes(found(0.6, 0.8, 0.9)) == ()
    assert explain.suggest_from_probes(found(0.6)) == ()


def test_error_messages(trained, unseen, labelled):
    with pytest.raises(DataError) as error:
        explain.probe_layers(trained, ["1"], list, labelled[1])
    assert str(error.value) == "layer probes: no images; pass at least one batch"
    one_class = lambda: [(unseen.x[:4], torch.zeros(4))]  # noqa: E731
    with pytest.raises(DataError) as alone:
        explain.probe_layers(trained, ["1"], one_class, labelled[1])
    assert str(alone.value) == "layer probes: images of fewer than two classes; pass images of at least two"

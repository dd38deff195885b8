"""Pretrained weights are chosen for few photographs, and only if a short comparison does not prefer scratch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from convscope.api import Note, RunFolder, TrainingFinished
from convscope.errors import ModelError
from convscope.layouts import open_data
from convscope.pipeline import start_choice, start_race
from convscope.pipeline.start_choice import StartChoice, choose_start, downloaded, without_download
from convscope.pipeline.start_race import race
from convscope.runs.overrides import Overrides, nest
from convscope.runs.recipe import Recipe, TrainSettings
from helpers.small_runs import PLAIN, photos, read_toml, train

ADDRESS = "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Four photographs of 64 pixels, not decoded."""
    return open_data(str(photos(tmp_path_factory.mktemp("large") / "photos", each=2, size=(64, 80))))


@pytest.fixture
def weights(monkeypatch, tmp_path):
    """No weights are on this machine; calling the fixture places them: as a package, or in the cache."""
    monkeypatch.setattr(start_choice, "installed", lambda _published: None)
    monkeypatch.setattr(start_choice, "download_folder", lambda: tmp_path)

    def place(where):
        if where == "installed":
            monkeypatch.setattr(start_choice, "installed", lambda _published: tmp_path)
        if where == "cached":
            (tmp_path / "mobilenet_v2-b0353104.pth").touch()

    return place


def chosen(found, **settings):
    return choose_start(Overrides.of(nest({k.replace("__", "."): v for k, v in settings.items()}), "test"), found)


@pytest.mark.parametrize(
    ("where", "network"), [("installed", "efficientnet_lite0"), ("cached", "mobilenet_v2"), ("nowhere", "")]
)
def test_weights_on_this_machine_are_chosen_for_few_photographs(weights, large, where, network):
    weights(where)
    choice = chosen(large)
    assert choice.overrides == {"transfer": {"checkpoint": network}}
    assert choice.automatic is bool(network)
    assert choice.download is None
    if network:
        source = choice.overrides.source("transfer.checkpoint")
        assert source == "chosen from the data: 4 photographs, fewer than 10,000"


def test_without_weights_and_offline_a_note_says_what_would_help(weights, large):
    weights("nowhere")
    assert chosen(large).note == (
        "4 photographs, trained from scratch: pretrained weights would help with so few photographs: "
        "pip install 'convscope[weights]', or unset CONVSCOPE_OFFLINE"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"transfer__checkpoint": "scratch"},
        {"transfer__checkpoint": ""},
        {"model__name": "resnet18"},
        {"optimiser__name": "muon"},
    ],
)
def test_scratch_is_refusing_weights_or_describing_a_training_from_scratch(weights, large, settings):
    weights("installed")
    choice = chosen(large, **settings)
    assert (choice.overrides["transfer"], choice.automatic, choice.note) == ({"checkpoint": ""}, False, "")


def test_named_weights_are_not_changed(weights, large):
    weights("installed")
    choice = chosen(large, transfer__checkpoint="vgg16", model__name="vgg16")
    assert (choice.overrides["transfer"]["checkpoint"], choice.automatic) == ("vgg16", False)


@pytest.mark.parametrize("change", ["small", "many", "channels", "boxes"])
def test_other_images_are_learnt_from_scratch(weights, large, change):
    weights("installed")
    many = np.tile(large.sizes, (2500, 1))
    found = {
        "small": replace(large, sizes=np.full((4, 2), 63)),
        "many": replace(large, names=tuple(map(str, range(len(many)))), sizes=many),
        "channels": replace(large, channels=5),
        "boxes": replace(large, target_kind="boxes"),
    }[change]
    assert chosen(found).overrides == {"transfer": {"checkpoint": ""}}


@pytest.fixture
def online(weights, monkeypatch):
    """Weights must be downloaded, and may be."""
    weights("nowhere")
    monkeypatch.delenv("CONVSCOPE_OFFLINE")


@pytest.mark.usefixtures("online")
def test_a_download_is_announced_with_size_and_licence(large):
    choice = chosen(large)
    assert choice.note == (
        f"downloading pretrained weights: {ADDRESS} (14 MB, BSD-3-Clause (torchvision); trained on ImageNet, whose "
        "images are for research use); to refuse, give --from scratch or set CONVSCOPE_OFFLINE=1"
    )
    assert without_download(choice).overrides == {"transfer": {"checkpoint": ""}}


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize("works", [True, False])
def test_a_download_that_fails_leaves_training_from_scratch(monkeypatch, large, works):
    def fetch(_published, timeout):
        assert timeout == 5
        if not works:
            raise ModelError("weights mobilenet_v2.pth: download failed")

    monkeypatch.setattr(start_choice, "fetch", fetch)
    choice = downloaded(chosen(large))
    assert choice.overrides["transfer"]["checkpoint"] == ("mobilenet_v2" if works else "")
    assert (choice.automatic, choice.note) == (
        (True, "") if works else (False, "trained from scratch: weights mobilenet_v2.pth: download failed")
    )


class Recipes:
    """A start as far as the comparison looks at it."""

    def __init__(self, budget: float = 0.0) -> None:
        self.resolved = self
        self.recipe = Recipe(train=TrainSettings(budget=budget, epochs=40))


@pytest.mark.parametrize(
    ("scores", "seconds", "wins", "sentence"),
    [
        ((0.9, 0.95), 5, "scratch", "from scratch, by a short comparison on the validation images: linear probe 90.00 "
         "% in 2.0 s, from scratch 95.00 % after 2.0 s"),
        ((0.9, 0.9), 5, "pretrained", "pretrained weights, by a short comparison on the validation images: linear "
         "probe 90.00 % in 2.0 s, from scratch 90.00 % after 2.0 s"),
        ((0.97,), 5, "pretrained", "pretrained weights: linear probe 97.00 % in 2.0 s, so not compared with training "
         "from scratch"),
        ((), 11, "pretrained", "pretrained weights: no time in train.budget to compare them with training from "
         "scratch"),
    ],
)  # fmt: skip
def test_scratch_wins_only_if_it_is_better_after_a_share_of_its_time(monkeypatch, scores, seconds, wins, sentence):
    starts, trials, left = {"pretrained": Recipes(100.0), "scratch": Recipes(100.0)}, [], list(scores)

    def trial(_start, recipe, *_given):
        trials.append(recipe)
        return left.pop(0), 2.0

    monkeypatch.setattr(start_race, "_trial", trial)
    monkeypatch.setattr(start_race, "_probe_seconds", lambda *_given: seconds)
    best, text = race(starts["pretrained"], lambda: starts["scratch"], torch.device("cpu"), 0.0)
    assert (best, text) == (starts[wins], sentence)
    assert [recipe.train.budget for recipe in trials] == [100.0, 15.0][: len(trials)]
    assert [recipe.transfer.views for recipe in trials[:1]] == [1][: len(trials)]


def test_without_a_budget_the_trial_is_a_share_of_the_epochs():
    assert start_race._short(Recipes().recipe).train.epochs == 6


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize("better", ["pretrained", "scratch"])
def test_a_run_goes_on_with_the_better_start_and_its_recipe_repeats_it(tmp_path, few, monkeypatch, better):
    origin = tmp_path / "origin"
    train(origin, str(photos(tmp_path / "photos", each=10)), **PLAIN, train__epochs=1)
    checkpoint = Overrides.of({"transfer": {"checkpoint": str(origin)}}, "chosen from the data: a test")
    monkeypatch.setattr(
        "convscope.pipeline.train.choose_start", lambda given, _found: StartChoice(checkpoint.over(given), True)
    )
    scores = iter([0.5, 0.4 if better == "pretrained" else 0.6])
    trial = start_race._trial
    monkeypatch.setattr(start_race, "_trial", lambda *given: (next(scores), trial(*given)[1]))
    events = train(tmp_path / "run", few, **PLAIN)
    note = next(event.text for event in events if isinstance(event, Note))
    prefix = {"pretrained": "pretrained weights, by a short comparison", "scratch": "from scratch, by a short"}[better]
    assert note.startswith(prefix)
    assert note in RunFolder(tmp_path / "run").events_file.read_text()
    expected = str(origin.resolve()) if better == "pretrained" else ""
    recipe = tmp_path / "run" / "recipe.toml"
    assert read_toml(recipe)["transfer"]["checkpoint"] == expected
    assert isinstance(events[-1], TrainingFinished)
    assert (events[-1].probe is not None) is (better == "pretrained")

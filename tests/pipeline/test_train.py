"""Training end to end: the run folder, the effect of settings, and reproducibility to the bit."""

import importlib
import json
import math
import time
import tomllib

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from convscope.api import (
    DataLoaded,
    Epoch,
    Note,
    PlanReady,
    RunFolder,
    Step,
    TrainingFinished,
    as_lines,
    read_recipe,
    training,
    write_report,
)
from convscope.bundle import load_bundle
from convscope.errors import ConfigError, DataError, ModelError, TrainingError
from convscope.training import learning_rate_range_test
from helpers.small_runs import photos, same, small, start, state, tensors, train, weights

train_module = importlib.import_module("convscope.pipeline.train")  # `convscope.pipeline.train` is the verb


@pytest.fixture(autouse=True)
def _no_report(request, no_report):
    """See `no_report`; the report has its own tests."""


def kinds(events):
    return [type(event).__name__ for event in events if not isinstance(event, Step)]


def test_a_run_folder_holds_all_that_it_promises(finished):
    names = {file.name for file in finished.iterdir()}
    assert names == {
        ".lock", "recipe.toml", "data.json", "environment.json", "events.jsonl", "checkpoint", "model", "predictions",
        "confusions.jsonl", "probes", "explain", "report.html",
    }  # fmt: skip
    assert {file.name for file in (finished / "model").iterdir()} == {"model.safetensors", "config.json"}
    assert {file.name for file in (finished / "checkpoint").iterdir()} == {"last.pt", "previous.pt"}


def test_events_are_emitted_in_order(tmp_path, few):
    events = train(tmp_path / "run", few)
    assert kinds(events) == [
        "DataLoaded", "PlanReady", "Epoch", "LayersMeasured", "Epoch", "LayersMeasured", "TrainingFinished",
    ]  # fmt: skip
    found, planned, finished = events[0], events[1], events[-1]
    assert isinstance(found, DataLoaded)
    assert found.summary.images == 60
    assert isinstance(planned, PlanReady)
    assert (planned.steps_per_epoch, planned.first_epoch) == (3, 0)
    assert sum(isinstance(event, Step) for event in events) == 6
    assert isinstance(finished, TrainingFinished)
    assert finished.run == tmp_path / "run"
    assert finished.epoch == 2
    assert finished.scores == pytest.approx(events[-3].validation, abs=1e-5)


def test_events_are_stored_as_they_were_emitted(finished):
    result = RunFolder(finished).events()
    assert [event["event"] for event in result] == (["step"] * 11 + ["layers_measured", "epoch"]) * 2
    assert [event["step"] for event in result if event["event"] == "step"] == list(range(1, 23))
    assert result[-1]["validation"].keys() == {"loss", "accuracy", "top5", "macro_f1"}


def test_data_json_records_the_dataset_and_its_split(finished):
    data = RunFolder(finished).data()
    assert data["classes"] == list("0123456789")
    assert {role: len(names) for role, names in data["splits"].items()} == {
        "train": 1437, "validation": 180, "test": 180,
    }  # fmt: skip
    assert len({name for names in data["splits"].values() for name in names}) == 1797
    assert data["preprocessing"]["size"] == [8, 8]
    assert 0 < data["preprocessing"]["mean"][0] < 1


def test_environment_json_records_the_environment(finished):
    machine = RunFolder(finished).environment()
    assert machine["torch"] == torch.__version__
    assert machine["device"] == (torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu")
    assert machine["threads"] == 1
    assert machine["seconds"] > 0


def test_the_saved_network_predicts_as_the_trained_one(finished):
    folder = RunFolder(finished)
    _, config = load_bundle(folder.model)
    assert config.epoch == 2
    assert config.classes == tuple("0123456789")
    learned = [v for n, v in tensors(finished).items() if "running" not in n and "num_batches" not in n]
    assert config.num_parameters == sum(value.numel() for value in learned)


def test_the_recipe_is_resolved_and_runs_again_as_it_is_to_the_same_bits(finished, tmp_path):
    output = read_recipe(finished / "recipe.toml")
    assert output["model"] == {
        "name": "resnet18", "options": {"stem": "small", "width": 4, "depths": [1, 1], "dropout": 0.1}, "init": "",
    }  # fmt: skip
    assert output["data"]["source"] == "digits"
    assert output["optimiser"]["learning_rate"] > 0
    list(training(output["data"]["source"], tmp_path / "again", output))
    assert weights(tmp_path / "again") == weights(finished)
    assert same(state(tmp_path / "again"), state(finished))
    assert read_recipe(tmp_path / "again" / "recipe.toml") == output
    batch = next(line for line in (tmp_path / "again" / "recipe.toml").read_text().splitlines() if "batch =" in line)
    assert batch.startswith(f"batch = 128  # {finished / 'recipe.toml'} line "), "it says where its values are from"


def test_another_seed_gives_another_split_and_other_weights(tmp_path, few):
    for seed in (0, 1):
        train(tmp_path / str(seed), few, seed=seed, train__epochs=1)
    first, second = (RunFolder(tmp_path / name).data()["splits"] for name in "01")
    assert set(first["test"]) != set(second["test"])
    assert weights(tmp_path / "0") != weights(tmp_path / "1")


def test_a_folder_is_named_by_its_whole_path_so_that_the_recipe_runs_anywhere(tmp_path, monkeypatch):
    photos(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    train(tmp_path / "run", "photos", train__epochs=1)
    assert read_recipe(tmp_path / "run" / "recipe.toml")["data"]["source"] == str(tmp_path / "photos")


def test_folders_of_photos_are_learned(tmp_path, few):
    """Bright against dark: trivially learnable, so a failure means a broken path from file to loss."""
    events = train(tmp_path / "run", few, train__epochs=6)
    assert events[-1].scores["accuracy"] == 1.0


def test_colour_images_can_be_seen_in_grey_and_grey_ones_in_colour(tmp_path, few):
    train(tmp_path / "grey", few, train__epochs=1, data__channels=1)
    assert tensors(tmp_path / "grey")["stem.conv.weight"].shape[1] == 1
    train(tmp_path / "colour", "digits", train__epochs=1, train__batch=128, data__channels=3)
    assert tensors(tmp_path / "colour")["stem.conv.weight"].shape[1] == 3


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop"])
def test_another_optimiser_starts_at_its_own_rate(tmp_path, name, few):
    train(tmp_path / "run", few, train__epochs=1, optimiser__name=name)
    output = read_recipe(tmp_path / "run" / "recipe.toml")["optimiser"]
    assert (output["name"], output["learning_rate"]) == (name, 0.001)


def test_first_weights_can_be_chosen_and_zeros_learn_nothing(tmp_path, few):
    """With zeros all units of a layer stay identical, so that accuracy stays at chance level."""
    events = train(tmp_path / "run", few, train__epochs=1, model__init="zeros")
    assert RunFolder.open(tmp_path / "run").recipe().model.init == "zeros"
    loss = next(event for event in events if isinstance(event, Epoch)).validation["loss"]
    assert loss == pytest.approx(math.log(2), abs=0.05)


@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_another_network_has_its_own_options(tmp_path, name, few):
    settings = {"model": {"name": name}, "train": {"epochs": 1, "threads": 1}}
    list(training(few, tmp_path / "run", settings))
    assert load_bundle(tmp_path / "run" / "model")[1].architecture.name == name


def scripted(monkeypatch, *accuracies):
    """Replace the validation scores of each epoch by these."""
    found = iter(accuracies)
    scores = {"loss": 1.0, "accuracy": 0.0, "macro_f1": 0.0}
    monkeypatch.setattr(
        "convscope.pipeline.session.TrainingSession.evaluate", lambda *_: scores | {"accuracy": next(found)}
    )


def test_the_last_epoch_is_selected_unless_best_is_set(tmp_path, monkeypatch, few):
    scripted(monkeypatch, 0.1, 0.4, 0.4, 0.3)
    events = train(tmp_path / "best", few, train__keep="best", train__epochs=4)
    assert (events[-1].epoch, load_bundle(tmp_path / "best" / "model")[1].epoch) == (2, 2), "the earliest of equals"
    scripted(monkeypatch, 0.1, 0.4, 0.4, 0.3)
    events = train(tmp_path / "last", few, train__epochs=4)
    assert (events[-1].epoch, load_bundle(tmp_path / "last" / "model")[1].epoch) == (4, 4)


def test_patience_ends_a_run_after_just_as_many_bad_epochs_and_keeps_the_best(tmp_path, monkeypatch, few):
    """Patience 2, so that the third bad epoch in a row is the last."""
    scripted(monkeypatch, 0.1, 0.4, 0.3, 0.4, 0.2)
    events = train(tmp_path / "run", few, train__epochs=9, train__stop_patience=2)
    assert events[-2] == Note(5, 15, "early stopping: no better score for more than 2 epochs")
    assert (events[-1].epoch, load_bundle(tmp_path / "run" / "model")[1].epoch) == (2, 2)
    assert RunFolder(tmp_path / "run").events()[-1]["text"] == events[-2].text


def test_a_plateau_lowers_the_rate_after_just_as_many_bad_epochs(tmp_path, monkeypatch, few):
    """Patience 2, so that the rate drops after the third bad epoch in a row; early stopping has its own counter."""
    scripted(monkeypatch, 0.4, 0.4, 0.4, 0.4, 0.4)
    changes = {"schedule__name": "plateau", "schedule__patience": 2, "optimiser__learning_rate": 0.1}
    events = train(tmp_path / "run", few, train__epochs=5, **changes)
    rates = [event.learning_rate for event in events if isinstance(event, Epoch)]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.01])
    notes = [event for event in events if isinstance(event, Note)]
    assert notes == [Note(4, 12, "score on a plateau: learning rate reduced to 0.01")]


def test_class_weights_and_balanced_batches_can_be_set(tmp_path):
    folder = photos(tmp_path / "photos", "ab", each=30)
    for number in range(20):
        (folder / "b" / f"{number}.png").unlink()
    request = {"loss__class_weights": "balanced", "train__balanced_batches": True}
    train(tmp_path / "run", str(folder), train__epochs=1, **request)
    output = read_recipe(tmp_path / "run" / "recipe.toml")
    assert (output["loss"]["class_weights"], output["train"]["balanced_batches"]) == ("balanced", True)
    assert RunFolder(tmp_path / "run").data()["summary"]["imbalance"] == 3


def test_an_average_of_the_weights_is_what_is_saved(tmp_path, few):
    train(tmp_path / "plain", few)
    train(tmp_path / "run", few, train__average=0.9)
    content = state(tmp_path / "run")
    saved = tensors(tmp_path / "run")
    assert all(torch.equal(saved[name], value.cpu()) for name, value in content["average"]["module"].items())
    assert not torch.equal(saved["stem.conv.weight"], content["model"]["stem.conv.weight"])
    assert torch.equal(content["model"]["stem.conv.weight"], tensors(tmp_path / "plain")["stem.conv.weight"])


@pytest.mark.slow
def test_the_range_test_chooses_the_rate_and_shows_its_curve(tmp_path, few):
    path = tmp_path / "run"
    events = train(path, few, train__find_lr=True, train__epochs=1)
    curve = json.loads((path / "range_test.json").read_text())
    output = read_recipe(path / "recipe.toml")
    rate = output["optimiser"]["learning_rate"]
    assert rate == float(f"{curve['suggestion']:.2g}")
    assert output["train"]["find_lr"] is False
    assert len(curve["rates"]) == len(curve["losses"]) >= 10
    note = next(event for event in events if isinstance(event, Note))
    assert note == Note(0, 0, f"learning rate {rate:g}: {curve['why']} (range test)")
    assert RunFolder(path).events("note")[0]["text"] == note.text
    assert "Learning-rate range test" in write_report(RunFolder(path)).read_text()


@pytest.mark.slow
def test_the_range_test_leaves_no_trace_but_the_rate(tmp_path, few):
    """Its recipe, run again without the test, gives the same bits."""
    train(tmp_path / "run", few, train__find_lr=True, train__epochs=1)
    list(training(few, tmp_path / "again", read_recipe(tmp_path / "run" / "recipe.toml")))
    assert weights(tmp_path / "again") == weights(tmp_path / "run")
    assert not (tmp_path / "again" / "range_test.json").exists()


def test_a_range_test_without_a_result_is_reported_and_training_continues(tmp_path, monkeypatch, few):
    def fail(*_):
        raise TrainingError("range test: the loss fell at no learning rate")

    monkeypatch.setattr("convscope.pipeline.lr_search.learning_rate_range_test", fail)
    events = train(tmp_path / "run", few, train__find_lr=True, train__epochs=1, optimiser__learning_rate=0.05)
    note = next(event for event in events if isinstance(event, Note))
    assert note.text == "range test: the loss fell at no learning rate; continuing with learning rate 0.05"
    assert read_recipe(tmp_path / "run" / "recipe.toml")["optimiser"]["learning_rate"] == 0.05


def test_a_range_test_takes_a_quarter_of_a_budget_at_most(tmp_path, monkeypatch, few):
    def slow(state, batches, loss, settings):
        def late(epoch):
            for pair in batches(epoch):
                time.sleep(0.1)
                yield pair

        return learning_rate_range_test(state, late, loss, settings)

    monkeypatch.setattr("convscope.pipeline.lr_search.learning_rate_range_test", slow)
    events = train(tmp_path / "run", few, train__find_lr=True, train__budget=4, optimiser__learning_rate=0.05)
    note = next(event for event in events if isinstance(event, Note))
    assert note.text == (
        "range test: not finished within 1 s, a quarter of train.budget; continuing with learning rate 0.05"
    )


@pytest.mark.slow
def test_a_budget_ends_on_time_evaluation_and_report_included(tmp_path, few, monkeypatch):
    monkeypatch.setattr("convscope.pipeline.end_seconds.slowness", lambda: 1.0)  # a busy machine reserves more
    began = time.monotonic()
    events = train(tmp_path / "run", few, train__budget=8)
    took = time.monotonic() - began
    assert 4.5 < took < 8.5, "3 of the 8 seconds are reserved for the report, and some for the last evaluation"
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert len(epochs) > 2, "the number of epochs does not bound it"
    assert epochs[-1].learning_rate < 0.1 * max(epoch.learning_rate for epoch in epochs), "the schedule came to rest"
    assert events[-1].seconds == pytest.approx(took, abs=0.3)


def test_overfitting_is_reported_at_the_end(tmp_path):
    """50 images without augmentation and with random labels, which can only be memorised."""
    settings = {
        "model": {"name": "mlp", "options": {"widths": [64]}},
        "optimiser": {"name": "adam", "learning_rate": 0.005},
        "schedule": {"name": "constant"},
        "augment": {"policy": "none"},
        "loss": {"label_smoothing": 0.0},
        "train": {"epochs": 20, "threads": 1, "batch": 16},
        "data": {"validation": 0.4},
    }
    folder, generator = tmp_path / "digits", np.random.default_rng(0)
    for name in "ab":
        (folder / name).mkdir(parents=True)
    for number, image in enumerate(load_digits().images[:100]):
        label = "ab"[generator.integers(2)]
        Image.fromarray((image * 15).astype(np.uint8)).save(folder / label / f"{number}.png")
    events = list(training(str(folder), tmp_path / "run", settings))
    begins = events[-1].overfitting
    assert begins is not None
    assert f"Overfitting from epoch {begins}: " in write_report(RunFolder(tmp_path / "run")).read_text()
    assert as_lines(events[-1])[0] == (
        f"Overfitting from epoch {begins}: the network fits the training images better than the validation images. "
        "Try more images, a stronger augment.policy, dropout or a smaller network."
    )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model__name": "resnet19"}, ModelError, "model: no network resnet19; did you mean resnet18?"),
        ({"model__options__wide": 3}, ModelError, "resnet: no option wide; did you mean width?"),
        (
            {"model__name": "alexnet", "model__options": {}},
            ModelError,
            "alexnet: an input of 16x16 is too small; the smallest that works is 63x63",
        ),
        (
            {"train__device": "tpu"},
            ConfigError,
            "train.device is 'tpu', which is not available on this machine; use auto, cpu or cuda",
        ),
        ({"train__epoch": 3}, ConfigError, "settings: no setting train.epoch; did you mean train.epochs?"),
        (
            {"data__label_column": "kind"},
            ConfigError,
            "data.label_column is 'kind', but {source} is not a table; remove it",
        ),
    ],
    ids=["network", "option", "size", "device", "setting", "column"],
)
def test_invalid_settings_are_rejected_before_anything_is_decoded_or_written(
    tmp_path, monkeypatch, changes, error, message, few
):
    monkeypatch.setattr(train_module, "prepare", None)
    output = small(**changes)
    if changes.get("model__options") == {}:
        output["model"] = {"name": changes["model__name"]}
    with pytest.raises(error) as caught:
        list(training(few, tmp_path / "run", output))
    assert str(caught.value) == message.format(source=few)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_the_last_good_state(tmp_path, few):
    with pytest.raises(TrainingError) as caught:
        train(tmp_path / "run", few, train__epochs=9, optimiser__learning_rate=1e30, schedule__name="constant")
    assert str(caught.value).startswith("epoch 1, step ")
    assert str(caught.value).endswith("lower the learning rate, for instance to 1e+29, or clip the gradients")
    losses = [event["loss"] for event in RunFolder(tmp_path / "run").events("step")]
    assert all(math.isfinite(loss) for loss in losses if loss is not None)


def test_a_source_that_is_not_there_leaves_nothing_behind(tmp_path):
    with pytest.raises(DataError):
        train(tmp_path / "run", str(tmp_path / "gone"))
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_broken_off_lets_go_of_its_folder(tmp_path, few):
    events = start(tmp_path / "run", few)
    assert isinstance(next(events), DataLoaded)
    events.close()
    assert not (tmp_path / "run").exists(), "it had not begun to train"
    train(tmp_path / "run", few, train__epochs=1)


def test_the_recipe_on_disk_is_plain_toml(finished):
    content = tomllib.loads((finished / "recipe.toml").read_text())
    assert content["train"]["epochs"] == 2

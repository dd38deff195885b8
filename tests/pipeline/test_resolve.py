"""Recipe resolution: wrong settings are errors before decoding, and each value has its source."""

import tomllib

import pytest

from convscope.api import RunFolder, train, training
from convscope.errors import ConfigError
from convscope.models import build
from helpers.small_runs import small, start
from helpers.small_runs import train as run_small


@pytest.fixture(autouse=True)
def _no_report(no_report):
    """See `no_report`."""


def written(path):
    """The source of each setting, by its line of the recipe without the comment."""
    lines = (path / "recipe.toml").read_text().splitlines()
    return dict(line.split("  # ") for line in lines if "  # " in line)


def test_the_recipe_says_where_each_value_is_from(tmp_path, few):
    file = tmp_path / "mine.toml"
    file.write_text("[train]\nepochs = 1\nthreads = 1\n[model.options]\ndepths = [1, 1]\nwidth = 4\n")
    train(few, out=tmp_path / "run", seed=3, settings=str(file))
    found = written(tmp_path / "run")
    assert {line: found[line] for line in ("seed = 3", "epochs = 1", "width = 4", "test = 0.1")} == {
        "seed = 3": "train(..., seed=...)",
        "epochs = 1": f"{file} line 2",
        "width = 4": f"{file} line 6",
        "test = 0.1": "default",
    }
    assert {line: found[line] for line in ('task = "classify"', "batch = 16", "size = [", 'stem = "small"')} == {
        'task = "classify"': "chosen from the data: its targets are classes",
        "batch = 16": "chosen from the data: 48 training images",
        "size = [": "chosen from the data: images of 16 x 16 pixels",
        'stem = "small"': "chosen for the network: its default",
    }
    assert found['name = "muon"'] == "chosen for the network: convolutions with normalisation"
    assert found["label_smoothing = 0.1"] == "default of the task classify"
    assert found[f'source = "{few}"'] == "DATA"
    recipe = RunFolder.open(tmp_path / "run").recipe_file
    assert tomllib.loads(recipe.read_text())["train"]["epochs"] == 1


@pytest.fixture
def builds(monkeypatch):
    """The options of each network that is built."""
    found = []

    def counted(architecture):
        found.append(architecture.options)
        return build(architecture)

    monkeypatch.setattr("convscope.pipeline.network.build", counted)
    return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"model.name": "lenet"}, 2),  # one before decoding, which all rules look at, and the one that is trained
        ({"model.options": {"width": 4, "depths": [1, 1]}}, 2),  # no width to choose: no further candidate
        ({"model.options": {"depths": [1, 1]}}, 3),  # images of 16 pixels: the widest that is tried, 32, is taken
    ],
)
def test_no_network_is_built_twice_on_the_way_to_training(tmp_path, few, builds, settings, expected):
    events = training(few, tmp_path / "run", {**settings, "train.epochs": 1, "train.threads": 1})
    while not builds or not (tmp_path / "run" / "recipe.toml").exists():
        next(events)
    events.close()
    assert len(builds) == expected


def test_within_a_budget_the_cheapest_is_measured_too(tmp_path, few, builds):
    settings = {"model.options": {"depths": [1, 1]}, "train.budget": 60, "train.threads": 1}
    events = training(few, tmp_path / "run", settings)
    while not (tmp_path / "run" / "recipe.toml").exists():
        next(events)
    events.close()
    assert len(builds) == 4, "default, narrowest (measured), widest that fits the images, trained"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss__kind": "huber"}, "settings: the task classify has no setting loss.kind; choose one of class_weights, "
         "label_smoothing"),
        ({"augment__changes": {"rotate": 500}},
         "augment.changes.rotate is 500.0; it should be less than or equal to 180"),
        ({"train__compile": "graphs", "step__micro_batch": 4},
         "train.compile is 'graphs', and CUDA graphs cannot add up the gradients of a step.micro_batch; "
         "set train.compile to 'always', or remove step.micro_batch"),
        ({"train__compile": "always", "train__processes": 2},
         "train.processes is 2, and steps that exchange data cannot be compiled or recorded; remove train.compile, or "
         "set train.processes to 1"),
        ({"train__cuda_graph": True, "train__processes": 3},
         "train.processes is 3, and steps that exchange data cannot be compiled or recorded; remove train.cuda_graph, "
         "or set train.processes to 1"),
        ({"transfer__views": 2},
         "transfer.views is set, but the network is trained from scratch; give pretrained weights with --from"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_decoded(tmp_path, monkeypatch, few, changes, message):
    monkeypatch.setattr("convscope.pipeline.train.prepare", None)
    with pytest.raises(ConfigError) as caught:
        list(start(tmp_path / "run", few, **changes))
    assert str(caught.value) == message
    assert not (tmp_path / "run").exists()


def test_a_setting_of_the_wrong_task_is_refused_when_the_data_have_shown_the_task(tmp_path, few):
    file = tmp_path / "mine.toml"
    file.write_text('[loss]\nkind = "huber"\n')
    with pytest.raises(ConfigError) as caught:
        train(few, out=tmp_path / "run", settings=file)
    assert str(caught.value) == (
        f"{file} line 2: the task classify has no setting loss.kind; choose one of class_weights, label_smoothing"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"train.epoch": 3}},
         "train(..., settings=...): no setting train.epoch; did you mean train.epochs?"),
        ({"epochs": 0}, "train(..., epochs=...): train.epochs is 0; it should be greater than or equal to 1"),
        ({"settings": small(), "budget": "soon"},
         "train(..., budget=...): train.budget is 'soon'; write a duration like 90s, 5m or 1h30m"),
    ],
)  # fmt: skip
def test_the_library_names_the_argument_that_is_wrong(tmp_path, few, arguments, message):
    with pytest.raises(ConfigError) as caught:
        train(few, out=tmp_path / "run", **arguments)
    assert str(caught.value) == message


def test_the_range_test_is_named_as_what_set_the_rate(tmp_path, few):
    run_small(tmp_path / "run", few, train__find_lr=True, train__epochs=1)
    found = written(tmp_path / "run")
    assert [line for line, place in found.items() if place == "learning-rate range test"][-1] == "find_lr = false"

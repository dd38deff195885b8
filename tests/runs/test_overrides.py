"""Layered settings: each value keeps its source, and an error names it."""

import doctest

import pytest

from convscope.errors import ConfigError
from convscope.runs import overrides, recipe_file
from convscope.runs.overrides import Overrides, lay, settings_from_flags, settings_from_options
from convscope.runs.parse import check_overrides, parse_recipe
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import annotate, as_overrides, line_numbers, read_recipe


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(overrides).failed == 0
    assert doctest.testmod(recipe_file).failed == 0


def test_each_value_keeps_the_place_that_set_it():
    below = Overrides.of({"train": {"epochs": 9, "batch": 8}, "model": {"options": {"width": 4}}}, "below")
    flags = settings_from_flags(["train.epochs=3", "model.options={depths=[1, 1], width=8}"])
    found = lay(below, flags, settings_from_options({"--seed": ("seed", 1), "--model": ("model.name", None)}))
    assert found == {
        "train": {"epochs": 3, "batch": 8}, "model": {"options": {"width": 8, "depths": [1, 1]}}, "seed": 1,
    }  # fmt: skip
    assert found.sources == {
        "train.epochs": "--set train.epochs=3",
        "train.batch": "below",
        "model.options.width": "--set model.options={depths=[1, 1], width=8}",
        "model.options.depths": "--set model.options={depths=[1, 1], width=8}",
        "seed": "--seed",
    }
    assert found.source("train") == "--set train.epochs=3, below"
    assert found.source("model.options.depths.0") == "--set model.options={depths=[1, 1], width=8}"
    assert found.source("step.clip") == "settings"
    assert found.names("model.options")
    assert not found.names("model.name")


def test_who_names_another_optimiser_drops_the_constants_of_the_first_and_their_places():
    below = Overrides.of({"optimiser": {"name": "sgd", "momentum": 0.5}}, "below")
    above = Overrides.of({"optimiser": {"name": "adam"}}, "above")
    assert lay(below, above) == above
    assert lay(below, above).sources == {"optimiser.name": "above"}


TOML = """# a comment
seed = 1

[data] # with [brackets] in a comment
size = [
    32,  # rows
    48,
]
"source" = 'a # b = c'
[model]
options.width = 4
options.depths = [1, 1]
name = \"\"\"
[train]
epochs = 3\"\"\"
[train]

[augment.changes]
rotate = 5
[step]
  clip = 1.0 # indented
loss_ = {kind = "mse", beta = {a = 1}}
[[many]]
x = 1
[[many]]
x = 2"""


def test_the_line_of_every_setting_is_found():
    assert line_numbers(TOML) == {
        "seed": 2, "data": 4, "data.size": 5, "data.source": 9, "model": 10, "model.options.width": 11,
        "model.options.depths": 12, "model.name": 13, "train": 16, "augment.changes": 18, "augment.changes.rotate": 19,
        "step": 20, "step.clip": 21, "step.loss_.kind": 22, "step.loss_.beta.a": 22, "many": 23,
    }  # fmt: skip
    assert line_numbers(TOML.replace("\n", "\r\n")) == line_numbers(TOML)
    assert line_numbers("") == {}


def test_a_recipe_with_a_comment_behind_each_setting_reads_back_equal(tmp_path):
    text = Recipe().to_toml()
    file = tmp_path / "recipe.toml"
    file.write_text(annotate(text, dict.fromkeys(line_numbers(text), "odd\n\x00\udc80 = [place]")))
    assert parse_recipe(read_recipe(file)) == Recipe()
    assert "\nepochs = 20  # odd  ? = [place]\n" in file.read_text()
    assert "\nsize = [  # odd  ? = [place]\n" in file.read_text()


def test_settings_are_taken_in_every_form(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[train]\nepochs = 3\n")
    assert as_overrides(None) == {}
    assert as_overrides({"train.epochs": 3}) == as_overrides({"train": {"epochs": 3}}) == {"train": {"epochs": 3}}
    assert as_overrides(file) == as_overrides(str(file)) == {"train": {"epochs": 3}}
    assert as_overrides(file).source("train.epochs") == f"{file} line 2"
    assert as_overrides({"seed": 1}, "train(..., settings=...)").sources == {"seed": "train(..., settings=...)"}
    assert as_overrides(as_overrides(file), "elsewhere").source("train.epochs") == f"{file} line 2"
    with pytest.raises(ConfigError) as caught:
        as_overrides(str(tmp_path))
    assert (
        str(caught.value)
        == f"{tmp_path}: a folder, not a file; give a recipe.toml, for example one from an earlier run"
    )


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([settings_from_flags(["train.epoch=3"])],
         "--set train.epoch=3: no setting train.epoch; did you mean train.epochs?"),
        ([settings_from_options({"--epochs": ("train.epochs", 0)})],
         "--epochs: train.epochs is 0; it should be greater than or equal to 1"),
        ([Overrides.of({"train": {"batch": 0}}, "train(..., settings=...)"), settings_from_flags(["seed=1"])],
         "train(..., settings=...): train.batch is 0; it should be greater than or equal to 1"),
        ([Overrides({"data": {"validation": 0.5}}, {"data": "mine.toml line 1", "data.validation": "mine.toml line 2"}),
          settings_from_flags(["data.test=0.6"])],
         "mine.toml line 2, --set data.test=0.6: data: validation takes 0.5 of the images and test 0.6; "
         "leave some for training"),
        ([settings_from_flags(["loss.dise=1"])], "--set loss.dise=1: no setting loss.dise; did you mean loss.dice?"),
        ([settings_from_flags(["loss=3"])], "--set loss=3: loss is 3; it should be a valid dictionary"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_reported_with_its_place_before_the_data_are_known(layers, message):
    with pytest.raises(ConfigError) as caught:
        check_overrides(lay(*layers))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("task", "pair", "message"),
    [
        ("classify", "loss.kind=huber",
         "--set loss.kind=huber: the task classify has no setting loss.kind; choose one of class_weights, "
         "label_smoothing"),
        ("regress", "loss.kind=hubber", "--set loss.kind=hubber: loss.kind is 'hubber'; it should be 'mse' or 'huber'"),
    ],
)  # fmt: skip
def test_settings_of_the_loss_wait_for_the_task_that_is_found_in_the_data(task, pair, message):
    settings = settings_from_flags([pair])
    check_overrides(settings)
    with pytest.raises(ConfigError) as caught:
        parse_recipe(settings.over(Overrides.of({"task": task}, "chosen from the data")))
    assert str(caught.value) == message

"""Recipes: parsing, files, and errors that name the wrong setting and the nearest valid one."""

import doctest
import tomllib

import pytest

from convscope.durations import parse_seconds
from convscope.errors import ConfigError
from convscope.runs import recipe as recipes
from convscope.runs.overrides import Overrides, data_source, merge, nest, override, settings_from_flags
from convscope.runs.parse import known_settings, parse_recipe
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import read_recipe

EVERYTHING = {
    "seed": 7,
    "data": {
        "source": "/photos", "layout": "table", "size": [64, 48], "channels": 1, "validation": 0.2, "test": 0.0,
        "near_duplicates": False,
        "image_column": "file", "label_column": "kind", "split_column": "set", "group_column": "patient",
    },
    "model": {"name": "lenet", "options": {"activation": "relu", "widths": [20, 10], "dropout": 0.5}},
    "augment": {"policy": "strong", "mirror": True},
    "loss": {"label_smoothing": 0.1, "class_weights": "balanced"},
    "optimiser": {"name": "adamw", "learning_rate": 3e-4, "betas": [0.8, 0.9], "weight_decay": 0.01},
    "schedule": {"name": "step", "at": [0.3, 0.6, 0.9], "factor": 0.5},
    "step": {"micro_batch": 8, "clip": 1.0, "read_every": 3},
    "train": {"budget": 90.0, "batch": 32, "keep": "best", "stop_patience": 4, "average": 0.99, "device": "cpu"},
}  # fmt: skip


@pytest.mark.parametrize("settings", [{}, EVERYTHING], ids=["no settings", "all settings"])
def test_a_recipe_written_as_toml_reads_back_equal(tmp_path, settings):
    recipe = parse_recipe(Overrides.of(settings, "settings"))
    file = tmp_path / "recipe.toml"
    file.write_text(recipe.to_toml())
    assert parse_recipe(read_recipe(file)) == recipe


def test_a_recipe_file_names_every_setting_that_has_a_value():
    written = tomllib.loads(Recipe().to_toml())
    named = {f"{section}.{name}" for section, inner in written.items() if isinstance(inner, dict) for name in inner}
    named |= {name for name, value in written.items() if not isinstance(value, dict)}
    open_to_none = {"optimiser.learning_rate", "step.micro_batch", "step.clip", "step.read_every", "input.spacing"}
    assert named == set(known_settings()) - open_to_none


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": {"epoch": 3}}, "no setting train.epoch; did you mean train.epochs?"),
        ({"epochs": 3}, "no setting epochs; did you mean train.epochs?"),
        ({"train": {"lr": 0.1}}, "no setting train.lr; did you mean optimiser.learning_rate?"),
        ({"optimizer": {"lr": 0.1}}, "no setting optimizer.lr; did you mean optimiser.learning_rate?"),
        ({"batch_size": 8}, "no setting batch_size; did you mean train.batch?"),
        ({"zzz": 1}, f"no setting zzz; choose one of {', '.join(sorted(known_settings()))}"),
        (
            {"augment": "light"},
            "augment is 'light', but it is a table of settings; set one of augment.policy, augment.mirror, "
            "augment.changes, augment.mix, augment.mix_alpha",
        ),
        ({"train": {"epochs": 0}}, "train.epochs is 0; it should be greater than or equal to 1"),
        (
            {"train": {"epochs": "many"}},
            "train.epochs is 'many'; it should be a valid integer, unable to parse string as an integer",
        ),
        ({"train": {"budget": "5 minutes"}}, "train.budget is '5 minutes'; write a duration like 90s, 5m or 1h30m"),
        ({"data": {"layout": "foldr"}}, "data.layout is 'foldr'; no such layout; did you mean folder?"),
        ({"model": {"init": "kaimin"}}, "model.init is 'kaimin'; no such initialiser; did you mean kaiming?"),
        ({"seed": -1}, "seed is -1; it should be greater than or equal to 0"),
        (
            {"augment": {"policy": "hard"}},
            "augment.policy is 'hard'; it should be 'none', 'light', 'standard' or 'strong'",
        ),
        (
            {"data": {"size": [64, 64, 64, 64]}},
            "data.size is [64, 64, 64, 64]; write height and width in pixels, like [64, 64], or one number for a "
            "square; the length of series like [128]; depth, height and width of volumes like [32, 32, 32]",
        ),
        (
            {"data": {"size": 0}},
            "data.size is 0; write height and width in pixels, like [64, 64], or one number for a square; the length "
            "of series like [128]; depth, height and width of volumes like [32, 32, 32]",
        ),
        (
            {"data": {"shown_channels": [0, 1]}},
            "data.shown_channels is [0, 1]; write three channels for red, green and blue, like [3, 2, 1], or one for "
            "grey, like [3]",
        ),
        (
            {"data": {"validation": 0.5, "test": 0.6}},
            "data: validation takes 0.5 of the images and test 0.6; leave some for training",
        ),
        (
            {"optimiser": {"nesterov": True, "momentum": 0}},
            "optimiser: nesterov needs a momentum above 0; set momentum, for instance to 0.9",
        ),
    ],
    ids=str,
)
def test_an_unknown_setting_is_an_error_that_lists_valid_ones(settings, message):
    with pytest.raises(ConfigError) as caught:
        parse_recipe(Overrides.of(settings, "recipe.toml"))
    assert str(caught.value) == f"recipe.toml: {message}"


def test_a_recipe_file_is_checked_when_it_is_read(tmp_path):
    file = tmp_path / "mine.toml"
    with pytest.raises(ConfigError) as caught:
        read_recipe(file)
    assert str(caught.value) == f"{file}: no such file; give a recipe.toml, for example one from an earlier run"
    file.write_text("train = [")
    with pytest.raises(ConfigError) as caught:
        read_recipe(file)
    assert str(caught.value) == (
        f"{file}: not a TOML file (Invalid value (at end of document)); compare it with an earlier run's recipe.toml"
    )
    file.write_text("[train]\nepoch = 3\n")
    with pytest.raises(ConfigError) as caught:
        read_recipe(file)
    assert str(caught.value) == f"{file} line 2: no setting train.epoch; did you mean train.epochs?"


def test_flags_are_toml_values_and_bare_words_are_strings():
    flags = ["train.epochs=3", "optimiser.learning_rate=1e-3", "model.name=lenet", "augment.mirror=true",
             "data.size=[32, 48]", "train.budget=5m", "model.options.activation=leaky:0.2"]  # fmt: skip
    assert settings_from_flags(flags) == {
        "train": {"epochs": 3, "budget": "5m"},
        "optimiser": {"learning_rate": 0.001},
        "model": {"name": "lenet", "options": {"activation": "leaky:0.2"}},
        "augment": {"mirror": True},
        "data": {"size": [32, 48]},
    }
    assert parse_recipe(settings_from_flags(flags)).train.budget == 300


def test_a_single_view_may_be_given_as_a_number():
    output = settings_from_flags(["train.tta_views=1", "data.source=digits"])
    assert parse_recipe(output).train.tta_views == "1"


def test_a_flag_without_a_value_is_refused():
    with pytest.raises(ConfigError) as caught:
        settings_from_flags(["train.epochs"])
    assert str(caught.value) == "--set train.epochs: '=' is missing; write it like --set optimiser.learning_rate=0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("5m", 300), ("1h30m", 5400), ("1h1m1s", 3661), (" 2m ", 120)],
)
def test_spans_of_time_are_read_as_people_write_them(text, expected):
    assert parse_seconds(text) == expected


@pytest.mark.parametrize("text", ["", " ", "five", "5d", "m5", "-5m", "5m3h"])
def test_an_invalid_duration_is_rejected(text):
    with pytest.raises(ValueError, match="write a duration like 90s, 5m or 1h30m"):
        parse_seconds(text)


def test_later_layers_win_value_by_value():
    assert merge({"train": {"epochs": 1, "batch": 2}}, {"train": {"epochs": 3}}, {"seed": 4}) == {
        "train": {"epochs": 3, "batch": 2},
        "seed": 4,
    }
    assert nest({"train.epochs": None, "seed": None}) == {}


def test_who_names_another_network_or_optimiser_does_not_inherit_the_constants_of_the_first():
    below = {"model": {"name": "resnet18", "options": {"width": 16}}, "train": {"epochs": 9}}
    assert override(below, {"model": {"name": "lenet"}}) == {"model": {"name": "lenet"}, "train": {"epochs": 9}}
    assert override(below, {"model": {"name": "resnet18"}}) == below
    assert override(below, {"model": {"options": {"stem": "small"}}})["model"]["options"] == {
        "width": 16,
        "stem": "small",
    }


def test_settings_without_data_ask_for_it():
    assert data_source({"data": {"source": "digits"}}) == "digits"
    with pytest.raises(ConfigError) as caught:
        data_source({"train": {"epochs": 3}})
    assert str(caught.value) == "data.source is not set; give DATA, as in: convscope train photos"


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(recipes).failed == 0

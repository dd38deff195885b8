"""The search space: conditional parameters, lists, and the user's ranges."""

import numpy as np
import pytest

from convscope.errors import ConfigError
from convscope.tuning.default_space import parameters_for
from convscope.tuning.parameter import parse_parameter
from convscope.tuning.space import Space


def plain(side=32):
    return Space(parameters_for("plain", side, 64, "muon"), {"model.name": "plain"})


def test_the_notes_come_first_filters_and_units_then_the_rate():
    titles = [one.title for one in plain().parameters]
    assert titles[:9] == [
        "filters1", "filters2", "stages", "filters3", "filters4", "filters5", "hidden layers", "units1", "units2",
    ]  # fmt: skip
    assert titles[9] == "rate x"


def test_filters_are_from_4_to_1024_and_start_at_64():
    one = plain()["model.options.filters[0]"]
    assert (one.low, one.high, one.start, one.log) == (4, 1024, 64, True)


def test_small_images_allow_fewer_stages():
    assert plain(8)["stages"].high == 3
    assert "stages" not in plain(4)


def test_numbers_of_a_list_that_do_not_apply_are_no_part_of_it():
    values = plain().start() | {"stages": 2, "hidden layers": 2}
    settings = plain().dotted(values)
    assert settings["model.options.filters"] == [64, 64]
    assert settings["model.options.widths"] == [64, 64]
    assert "stages" not in settings


def test_no_hidden_layer_is_an_empty_list():
    assert plain().dotted(plain().start() | {"hidden layers": 0})["model.options.widths"] == []


def test_the_rate_is_a_factor_of_the_optimisers_usual_one():
    values = plain().start() | {"optimiser.name": "adamw", "optimiser.rate": 2.0}
    settings = plain().dotted(values)
    assert settings["optimiser.learning_rate"] == 0.002
    assert "optimiser.rate" not in settings


def test_a_range_for_a_list_narrows_each_of_its_numbers():
    space = plain().narrowed([parse_parameter("model.options.filters", "16:128", "--search")])
    filters = [one for one in space.parameters if one.name.startswith("model.options.filters")]
    assert [(one.low, one.high, one.start) for one in filters] == [(16, 128, 64)] * 5
    assert filters[4].when == ("stages", (5,))


def test_a_range_of_another_setting_is_added_first():
    space = plain().narrowed([parse_parameter("augment.mix", "none,mixup", "--search")])
    assert space.parameters[0].name == "augment.mix"


def test_a_learning_rate_of_the_users_replaces_the_factor():
    space = plain().narrowed([parse_parameter("optimiser.learning_rate", "0.001:0.1", "--search")])
    assert "optimiser.rate" not in space
    assert "optimiser.learning_rate" in space


def test_settings_of_the_users_are_not_searched():
    space = plain().without(["model.options.filters", "optimiser.learning_rate"])
    assert not [one for one in space.parameters if one.name.startswith(("model.options.filters", "stages"))]
    assert "optimiser.rate" not in space


def test_the_first_parameters_are_kept_with_what_they_depend_on():
    space = plain().first(1, kept=["model.options.widths[0]"])
    assert [one.title for one in space.parameters] == [
        "filters1", "filters2", "stages", "filters3", "filters4", "filters5", "hidden layers", "units1",
    ]  # fmt: skip
    assert space.fixed["model.options.kernel"] == 3


def test_drawn_values_are_in_their_ranges():
    random = np.random.default_rng(0)
    for _ in range(50):
        values = plain().sample(random)
        assert all(one.contains(values[one.name]) for one in plain().parameters)


def test_smaller_values_keep_choices():
    values = plain().start() | {"model.options.kernel": 7}
    smaller = plain().smaller(values)
    assert smaller["model.options.filters[0]"] == 28
    assert smaller["model.options.kernel"] == 7


def test_a_network_without_a_width_is_refused():
    with pytest.raises(ConfigError) as caught:
        parameters_for("squeezenet", 32, 64, "sgd")
    assert str(caught.value) == (
        "tune: model.name is squeezenet, whose width cannot be searched; choose plain, lenet, airbench, a resnet or a "
        "vgg, or name the parameters: --search NAME=LOW:HIGH"
    )

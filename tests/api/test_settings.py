"""Settings are a dictionary, nested or dotted, or the path of a file."""

import pytest

from convscope.api import read_settings
from convscope.errors import ConfigError


def test_dictionaries_and_paths_mean_the_same(tmp_path):
    file = tmp_path / "recipe.toml"
    file.write_text("[optimiser]\nlearning_rate = 0.1\n")
    expected = {"optimiser": {"learning_rate": 0.1}}
    for settings in ({"optimiser.learning_rate": 0.1}, expected, file, str(file)):
        assert read_settings(settings) == expected
    assert read_settings(None) == {}


def test_another_type_is_refused():
    with pytest.raises(ConfigError) as caught:
        read_settings(["train.epochs=3"])  # type: ignore[arg-type]
    assert str(caught.value) == (
        "settings: a list is not a kind of settings; give a dictionary or the path of a recipe.toml"
    )

"""`convscope arithmetic` on the command line."""

import json

import pytest
from typer.testing import CliRunner

from convscope.cli.main import app
from convscope.errors import ConfigError


def printed(*words: str) -> str:
    result = CliRunner().invoke(app, ["arithmetic", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("output 227 --size 11 --stride 4", "(227 - 11)/4 + 1 = 55"),
        ("output 32x32 --size 5 --padding same", "32 - 5 + 2x2 + 1 = 32"),
        ("transposed 2 --size 3 --stride 2 --padding 1 --output-padding 1", "(2 - 1)x2 - 2x1 + 3 + 1 = 4"),
        ("weights 1x28x28 --filters 8 --size 3", "(784 + 1)x6,272 = 4,923,520"),
        ("factors 5", "2x3x3 = 18 weights"),
        ("bottleneck 480x14x14 --filters 48 --size 5 --narrow 16", "together 5,268,480, 21.4 times fewer"),
    ],
)
def test_each_topic_prints_the_formula_filled_in(words, part) -> None:
    assert part in printed(*words.split())
    values = json.loads(printed(*words.split(), "--json"))
    assert values["topic"] == words.split()[0]
    assert any(part in line for line in values["lines"])
    assert values["values"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("output big", "big: not a size; write numbers with x between them, like 3x32x32"),
        ("output 8 --padding all", "--padding all: not a number of pixels; give a number, or same"),
    ],
)
def test_text_that_is_not_a_number_is_refused(words, message) -> None:
    with pytest.raises(ConfigError) as caught:
        printed(*words.split())
    assert str(caught.value) == message


@pytest.mark.parametrize("topic", ["output", "transposed", "weights", "factors", "bottleneck"])
def test_each_topic_has_a_help_with_an_example(topic) -> None:
    assert f"convscope arithmetic {topic} " in " ".join(printed(topic, "--help").split())

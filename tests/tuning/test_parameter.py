"""Ranges and choices as `--search` gives them."""

import pytest

from convscope.errors import ConfigError
from convscope.tuning.parameter import Parameter, parse_parameter


def test_a_range_of_whole_numbers_over_a_decade_is_searched_by_ratios():
    assert parse_parameter("train.batch", "16:256", "--search") == Parameter("train.batch", "int", 16, 256, log=True)


def test_a_short_range_of_real_numbers_is_searched_by_differences():
    found = parse_parameter("model.options.dropout", "0:0.5", "--search")
    assert (found.kind, found.low, found.high, found.log) == ("float", 0, 0.5, False)


def test_a_list_is_a_choice_with_typed_values():
    found = parse_parameter("x", "sgd, 3,0.5,true", "--search")
    assert found.choices == ("sgd", 3, 0.5, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64", "--search: x has one value, '64'; give LOW:HIGH or at least two values A,B,C"),
        ("a:b", "--search: x is 'a:b', but a range has two numbers; write it like 16:256"),
        ("64:16", "--search: x is from 64 to 16; give the smaller number first"),
    ],
)
def test_a_wrong_range_is_refused(text, message):
    with pytest.raises(ConfigError) as caught:
        parse_parameter("x", text, "--search")
    assert str(caught.value) == message


def test_values_at_fractions_of_a_range_and_back():
    one = parse_parameter("x", "4:1024", "--search")
    assert [one.at(fraction) for fraction in (0, 0.5, 1)] == [4, 64, 1024]
    assert [one.fraction(value) for value in (4, 64, 1024)] == pytest.approx([0, 0.5, 1])
    choice = Parameter("x", "choice", choices=("a", "b", "c"))
    assert [choice.at(fraction) for fraction in (0, 0.4, 1)] == ["a", "b", "c"]


def test_a_parameter_survives_the_log():
    one = Parameter("x", "choice", choices=(3, 5), start=3, when=("stages", (2, 3)), label="kernel")
    assert Parameter.from_json(one.to_json()) == one

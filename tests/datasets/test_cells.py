"""Cells of tables."""

import time

import pytest

from convscope.datasets.cells import is_number, list_of, shown, split_labels


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "1.", "1e-3", "1,5", "1,234.5", "1 234,5", "inf", " 2 "])
def test_numbers_of_all_notations_are_recognised(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", ".", "1_000", "１２", "0x1F", "1.2.3", "12 cm", "e5", "1,2,3"])
def test_other_words_are_no_numbers(text: str) -> None:
    assert not is_number(text)


def test_long_runs_of_digits_take_no_time() -> None:
    began = time.perf_counter()
    for end in ("x", ",", " ", ".x", "e"):
        assert not is_number("9" * 50_000 + end + "!")
    assert time.perf_counter() - began < 1


def test_lists_in_json_and_python_notation() -> None:
    assert split_labels("['a', 'b', 'nan']", "|") == ["a", "b"]
    assert list_of("(1, 2)") == [1, 2]
    assert list_of("[" * 5_000 + "]" * 5_000) is None
    assert list_of("it's [x]") is None


def test_cells_in_messages_are_on_one_short_line() -> None:
    assert shown("a\n b\u2028c\x85d") == "a b c d"
    assert shown("x" * 200) == "x" * 77 + "..."
    assert shown("a\ud800") == "a\\ud800"

"""Numbers as learners write them."""

from fractions import Fraction

import pytest

from convscope.lessons.number_text import UnreadableAnswerError, read_numbers

F = Fraction
ONE: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", F(5)), (" 5. ", F(5)), ("-3", F(-3)), ("−3", F(-3)), ("+2", F(2)), ("1.5", F(3, 2)), ("1,5", F(3, 2)),
        ("2/3", F(2, 3)), ("2 / 3", F(2, 3)), ("-1/4", F(-1, 4)), ("25%", F(1, 4)), ("25 %", F(1, 4)), ("= 7", F(7)),
        ("x = 7", F(7)), ("≈0,25", F(1, 4)), ("1.2e3", F(1200)), ("(4)", F(4)), ("[4]", F(4)), (".5", F(1, 2)),
        ("0.5/2", F(1, 4)), ("1,234", F(1234, 1000)),
    ],
)  # fmt: skip
def test_one_number_is_read_in_every_usual_form(text, value):
    assert read_numbers(text, ONE, whole=False) == (value,)


@pytest.mark.parametrize("text", ["112896000", "112,896,000", "112 896 000", "112'896'000", "112_896_000"])
def test_thousands_are_read_where_a_whole_number_is_expected(text):
    assert read_numbers(text, ONE, whole=True) == (F(112_896_000),)


def test_a_decimal_is_never_taken_for_thousands():
    assert read_numbers("0.002", ONE, whole=True) == (F(2, 1000),)
    assert read_numbers("0,002", ONE, whole=True) == (F(2, 1000),)
    assert read_numbers("1.500", ONE, whole=True) == (F(3, 2),)


@pytest.mark.parametrize("text", ["1 2 3", "1, 2, 3", "1,2,3", "[1, 2, 3]", "(1 2 3)", "1; 2; 3", "1\n2\n3"])
def test_a_list_is_read_with_any_separator(text):
    assert read_numbers(text, (3,), whole=True) == (F(1), F(2), F(3))


@pytest.mark.parametrize("text", ["0,5 1,5", "0.5, 1.5", "0.5 1.5", "1/2 3/2", "[0.5, 1.5]"])
def test_decimal_commas_in_a_list_are_no_separators(text):
    assert read_numbers(text, (2,), whole=False) == (F(1, 2), F(3, 2))


@pytest.mark.parametrize(
    "text", ["1 2; 3 4", "[[1, 2], [3, 4]]", "1 2\n3 4", "1,2;3,4", "1 2 | 3 4", "1 2 3 4", "1, 2; 3, 4;"]
)
def test_a_grid_is_read_with_rows_or_as_one_list(text):
    assert read_numbers(text, (2, 2), whole=True) == (F(1), F(2), F(3), F(4))


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("", ONE, "no answer; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("   ", ONE, "no answer; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("five", ONE, "five: not a number; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("5px", ONE, "5px: not a number; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("nan", ONE, "nan: not a number; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("1e9999999", ONE, "1e9999999: not a number; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("\x1b[2J", ONE, "\\x1b: not a number; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("1/0", ONE, "1/0: division by zero; write numbers like 3, -0.5, 2/3 or 1,5"),
        ("1 2", ONE, "2 numbers, where 1 number is expected"),
        ("4", (2,), "1 number, where 2 numbers are expected"),
        ("1 2 3", (2, 2), "3 numbers, where 4 numbers are expected: 2 rows of 2, with ; between rows"),
        ("1; 2 3 4", (2, 2), "rows of 1, 3 numbers, where 2 rows of 2 are expected"),
        ("1" * 10_001, ONE, "10,001 characters; an answer has at most 10,000"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_the_remedy(text, shape, message):
    with pytest.raises(UnreadableAnswerError) as caught:
        read_numbers(text, shape, whole=True)
    assert str(caught.value) == message

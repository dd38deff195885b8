"""Text from files, made safe to show."""

import doctest

import pytest

from convscope import printable as module
from convscope.printable import printable, spreadsheet_cell

SHOWN = {
    "plain.png": "plain.png",
    "Käfer 甲虫 🪲 👩\u200d🔬": "Käfer 甲虫 🪲 👩\u200d🔬",
    "a\x1b]0;title\x07b": "a\\x1b]0;title\\x07b",
    "a\r\nb\tc": "a\\r\\nb\\tc",
    "\x9b2J\x7f": "\\x9b2J\\x7f",
    "caf\udce9": "caf\\udce9",
    "\u202egnp.exe\u2066\u2028\u2029": "\\u202egnp.exe\\u2066\\u2028\\u2029",
}

CELLS = {
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    "+1+cmd()": "'+1+cmd()",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1+1": "'\t=1+1",
    "\r=1": "'\r=1",
    "=\n1": "'=\n1",
    "-": "-",
    "+": "+",
    "-1.5e3": "-1.5e3",
    "cat": "cat",
    "a=b": "a=b",
    "": "",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items(), ids=range(len(SHOWN)))
def test_what_moves_the_cursor_or_breaks_the_line_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable(text).encode()
    assert len(printable(text).splitlines()) == 1


@pytest.mark.parametrize(("text", "cell"), CELLS.items(), ids=range(len(CELLS)))
def test_a_formula_becomes_text_in_a_spreadsheet(text, cell):
    assert spreadsheet_cell(text) == cell


def test_numbers_are_no_formulas():
    assert [spreadsheet_cell(value) for value in (-1, -0.5, None)] == [-1, -0.5, None]


def test_the_examples_in_the_docstrings_are_correct():
    assert doctest.testmod(module).failed == 0

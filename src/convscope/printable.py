"""Text from files made safe to show: on a terminal, on one line, and in the cells of a spreadsheet."""

import re
import unicodedata
from typing import Any

_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, lone surrogates, separators of lines and paragraphs
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_FORMULA = re.compile(r"[=+\-@\t\r].", re.DOTALL)


def printable(text: str) -> str:
    r"""Return the text with an escape for each character that moves the cursor, breaks the line or cannot be encoded.

    Names of files may contain all of these: escape sequences of a terminal, line breaks, marks that reverse the
    direction of writing, and bytes that are not UTF-8, which Python keeps as lone surrogates.

    >>> printable("a\x1b[2Jb\nc.png"), printable("caf\udce9.png"), printable("Käfer 🪲")
    ('a\\x1b[2Jb\\nc.png', 'caf\\udce9.png', 'Käfer 🪲')
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(map(_escaped, text))


def encodable(text: str) -> str:
    r"""Return a file name without characters that cannot be encoded: bytes that are not UTF-8 are written as in Python.

    >>> encodable("caf\udce9.png")
    'caf\\xe9.png'
    """
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a pair of surrogates, from JSON
        return text.encode("utf-8", "backslashreplace").decode()


def spreadsheet_cell(value: Any) -> Any:
    """Return a text that a spreadsheet would run as a formula with a ' before it, any other value unchanged.

    Numbers as text, and a sign alone, are no formulas.

    >>> spreadsheet_cell("=cmd()"), spreadsheet_cell("-"), spreadsheet_cell("-1.5"), spreadsheet_cell(-1.5)
    ("'=cmd()", '-', '-1.5', -1.5)
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _is_number(value):
        return value
    return f"'{value}"


def _escaped(character: str) -> str:
    if character in _DIRECTIONS or unicodedata.category(character) in _HIDDEN:
        return character.encode("unicode_escape").decode("ascii")
    return character


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

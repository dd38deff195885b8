"""Tables as plain text and HTML, for the representations of results in a console and in a notebook."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from convscope.printable import printable


def text_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table with left-aligned columns, two spaces apart, without trailing spaces; cells are `printable`.

    >>> print(text_table(["file", "label"], [["a.png", "cat"], ["long.png", "dog"]]))
    file      label
    a.png     cat
    long.png  dog
    """
    lines = [[printable(str(cell)) for cell in row] for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def html_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    """Return an HTML table; every cell is escaped.

    >>> html_table(["a"], [["<b>"]])
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = "".join(f"<th>{escape(printable(name))}</th>" for name in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(printable(str(cell)))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_notes(notes: Iterable[str]) -> str:
    """Return one paragraph per sentence, escaped.

    >>> html_notes(["1 < 2"])
    '<p>1 &lt; 2</p>'
    """
    return "".join(f"<p>{escape(printable(note))}</p>" for note in notes)

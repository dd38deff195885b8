"""Text broken into lines for a terminal or a page."""

import textwrap

COLUMNS = 88
INDENT = "    "  # of grids, tables and formulas, which are not broken


def broken(text: str, columns: int = COLUMNS) -> str:
    r"""Return the text with lines of at most `columns` characters; indented lines stay as they are.

    >>> print(broken("one two three\n    1 2 3 4 5 6", 8))
    one two
    three
        1 2 3 4 5 6
    """
    return "\n".join(
        line if line.startswith(INDENT) else textwrap.fill(line, columns, drop_whitespace=True)
        for line in text.split("\n")
    )

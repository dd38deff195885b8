"""Texts in files: a table with a column of texts, a .txt file of one text, and other files of one text per line."""

from pathlib import Path

from convscope.datasets.cells import is_missing
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.inputs.text_tables import MIXED, TABLES, content_of, read_text_table, text_column
from convscope.datasets.text_encoding import LOST, decode_text
from convscope.errors import DataError

WHOLE = ".txt"
"""The ending of files that are one text each."""
NO_TEXT = "has no text"


def read_texts(path: Path, column: str = "") -> list[tuple[str, str]]:
    """The texts of a file with their names: the file, and a number if it can hold several.

    Args:
        path: of the file.
        column: of the texts of a table, if the table has it; else it is detected, see `text_column`.

    Raises:
        DataError: the file cannot be read, or holds no text.
    """
    suffix = path.suffix.lower()
    if suffix in TABLES:
        table = read_text_table(path)
        given = column if column in table.names else ""
        column = text_column(table.names, [cells for _, cells in table.rows], given, str(path))
        found = [(f"{path}:{number}", cells.get(column, "")) for number, cells in table.rows]
        texts = [(name, text) for name, text in found if not is_missing(text)]
    elif suffix == WHOLE:
        texts = [(str(path), read_bytes(content_of(path), str(path)))]
    elif suffix in ENDINGS:
        raise DataError(
            f"{path}: is no file of texts, but {suffix}; give .txt, a table, or a file of one text per line"
        )
    else:
        texts = [(f"{path}:{number}", line) for number, line in read_lines(path)[0] if line]
    if not texts:
        raise DataError(f"{path}: holds no text; give a file of texts")
    return texts


def read_bytes(content: bytes, place: str) -> str:
    """The text of a file's bytes.

    Raises:
        DataError: there is none, it mixes encodings, or the file is no text.
    """
    decoded = decode_text(content)
    if "\0" in decoded.text:
        raise DataError(f"{place}: is no text, it holds bytes of 0; give a file of text")
    if decoded.mixed:
        raise DataError(f"{place}: mixes UTF-8 and another encoding; save it in one")
    if is_missing(decoded.text):
        raise DataError(f"{place}: {NO_TEXT}")
    return decoded.text.strip()


def read_lines(path: Path) -> tuple[list[tuple[int, str]], list[str], list[tuple[int, str]]]:
    """The lines of a file with their numbers from 1, notes, and the number and reason of lines that cannot be used.

    Raises:
        DataError: the file cannot be read, or is no text.
    """
    content = content_of(path)
    decoded = decode_text(content)
    if "\0" in decoded.text:
        raise DataError(f"{path}: is no text, it holds bytes of 0; give a file of text")
    text = content.decode(errors="replace") if decoded.mixed else decoded.text
    lines, skipped = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if decoded.mixed and LOST in line:
            skipped.append((number, MIXED))
        elif line.strip():
            lines.append((number, line.strip()))
        else:
            skipped.append((number, NO_TEXT))
    fallback = decoded.fallback if not decoded.mixed else ""
    return lines, [fallback_note(path.name, fallback)] if fallback else [], skipped


def fallback_note(what: str, fallback: str) -> str:
    """A note on a file whose encoding is a guess."""
    return f"{what} is not UTF-8 and is read as {fallback}; save it as UTF-8 if letters are wrong"

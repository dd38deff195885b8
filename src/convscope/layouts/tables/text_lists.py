"""Text files of blank-separated columns as tables: Caffe's lists of images and labels, and CelebA's tables."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

from convscope.datasets.dataset import SPLITS, split_of
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending
from convscope.files import read_start
from convscope.layouts.split_lists import listed_names, split_in_words
from convscope.layouts.tables.rows import TableRow, TableRows

_LINES = 20  # that are looked at
_START = 1 << 16  # bytes
_DIGITS = 12
_PAIR = 2  # columns: an image, and its label or split
_PARTITION = "partition"
_LISTED = 0.9  # of the lines of a list have to name an image


def is_list(file: Path) -> bool:
    """Whether the lines of a text are an image and one word each, or whether it is a table as in CelebA."""
    return has_attributes(file) or _are_rows(_start(file), _PAIR)


def has_attributes(file: Path) -> bool:
    """Whether a text is a table as in CelebA: the number of images, the names of the columns, and a row per image."""
    return _is_counted(_start(file))


def as_table(content: bytes) -> bytes:
    """The content of a text file; a table as in CelebA becomes one with tabs, whose first column is called image."""
    lines = content.decode("utf-8", errors="replace").splitlines()
    rows = [line.split() for line in lines if line.strip()]
    if not _is_counted(rows[:_LINES]):
        return content
    return "\n".join("\t".join(row) for row in (["image", *rows[1]], *rows[2:])).encode()


def split_words(table: TableRows, file: Path) -> dict[str, str]:
    """The split of each image, by its name without ending, if a table says nothing else, as in CelebA; or empty.

    Args:
        table: its rows; 0, 1 and 2 are train, validation and test.
        file: the table.
    """
    if len(table.names) != _PAIR or _PARTITION not in (file.stem.lower() + " ".join(table.names).lower()):
        return {}
    image, column = table.names
    by_number = dict(zip("012", SPLITS, strict=True))
    found = {_stem(row[image]): by_number.get(row[column].strip()) or split_of(row[column]) for row in table.rows}
    known = {name: split for name, split in found.items() if split}
    return known if len(known) == len(found) else {}


def listed_splits(lists: Mapping[str, Path], images: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The lists that give the split of images, as text, and the split by the name without ending; or empty.

    Args:
        lists: texts by their place; their names say the split, such as test_list.txt.
        images: names of the images of a table.
    """
    known = {_stem(image) for image in images}
    found: dict[str, str] = {}
    read = []
    for place, file in lists.items():
        split = split_in_words(file.stem)
        names = [_stem(line) for line in listed_names(file)] if split else []
        if not names or sum(name in known for name in names) < _LISTED * len(names):
            continue
        if any(found.get(name, split) != split for name in names):
            return "", {}
        found |= dict.fromkeys(names, split)
        read.append(f"{place} ({split})")
    return (", ".join(read), found) if SPLITS[0] in found.values() and len(read) > 1 else ("", {})


def with_splits(table: TableRows, image: str, splits: dict[str, str]) -> TableRows:
    """The rows with a column of their splits."""
    rows = [
        TableRow({**row.cells, _PARTITION: splits.get(_stem(row[image]), "")}, row.number, row.file)
        for row in table.rows
    ]
    return TableRows([*table.names, _PARTITION], rows, table.notes, table.skipped, table.images, table.aliases)


def _start(file: Path) -> list[list[str]]:
    try:
        lines = read_start(file, _START).decode("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []
    return [line.split() for line in islice((line for line in lines if line.strip()), _LINES)]


def _is_counted(rows: Sequence[Sequence[str]]) -> bool:
    if len(rows) < 3 or len(rows[0]) > 1 or not rows[0][0].isdecimal() or len(rows[0][0]) > _DIGITS:
        return False
    return not _is_image(rows[1][0]) and _are_rows(rows[2:], len(rows[1]) + 1)


def _are_rows(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether each row has an image first, and no other."""
    return bool(rows) and all(len(row) == width and _is_image(row[0]) and not _is_image(row[-1]) for row in rows)


def _is_image(word: str) -> bool:
    return ending(word) in ENDINGS


def _stem(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).stem

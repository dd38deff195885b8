"""A table with its columns placed and its files found, for the readers of each kind of target."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.cells import is_missing, shown
from convscope.datasets.dataset import SPLITS, Dataset, Skipped, split_of
from convscope.errors import DataError
from convscope.layouts.path_lookup import PathLookup, is_ambiguous
from convscope.layouts.tables.column_words import SPLIT_FLAGS, plain_name
from convscope.layouts.tables.columns import PlacedColumns
from convscope.layouts.tables.rows import TableRow, TableRows

NAME = "table"  # of the layout
_YES, _NO = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")
_TOLERATED = 0.01  # share of files with contradicting rows above which the table is rejected


@dataclass(frozen=True)
class FoundRow:
    """A row whose file exists."""

    row: TableRow
    file: Path
    name: str
    split: str
    group: str

    def listed(self, label: str = "", value: list[float] | None = None) -> ListedFile:
        """The file with its target."""
        return ListedFile(self.file, self.name, label, self.split, self.group, value=value)


@dataclass(frozen=True, eq=False)
class TableContent:
    """The content of a table."""

    source: str
    table: TableRows
    columns: PlacedColumns
    lookup: PathLookup
    notes: list[str] = field(default_factory=list)
    file_kind: str = ""
    """The requested kind of file."""

    def files(self, skipped: list[Skipped]) -> Iterator[FoundRow]:
        """The rows whose file exists; the others are added to `skipped`."""
        for row in self.table.rows:
            split, word = self._split(row)
            value = row[self.columns.image].strip()
            file = self.lookup.find(value, word, row.file.folder)
            if isinstance(file, str):
                skipped.append(Skipped(shown(value) or row.place, file))
            else:
                group = shown(row[self.columns.group]) if self.columns.group else ""
                yield FoundRow(row, file, self.lookup.name(file), split, group)

    def used(self, **targets: str | None) -> str:
        """The note on the columns used, with the columns of the targets by use."""
        placed = {"image": self.columns.image, **targets, "split": self.columns.split, "group": self.columns.group}
        return "columns used: " + ", ".join(
            f"{shown(column, 300)} for {use}" for use, column in placed.items() if column
        )

    def unused(self, used: tuple[str, ...]) -> list[str]:
        """A note on the columns that are not used, with the reason if there is one."""
        kept = {self.columns.image, self.columns.split, self.columns.group, *used}
        left = [name for name in self.table.names if name not in kept]
        named = [f"{name} ({why})" if (why := self.columns.left_out.get(name)) else name for name in left]
        return [f"columns not used: {shown(', '.join(named), 300)}"] if named else []

    def error(self, why: str) -> DataError:
        """The error of this table."""
        return DataError(f"{self.source}: {why}")

    def _split(self, row: TableRow) -> tuple[str, str]:
        """The split of a row, and the word that gives it."""
        word = row[self.columns.split].strip() if self.columns.split else ""
        if is_missing(word):
            return row.file.split, row.file.split
        flagged = SPLIT_FLAGS.get(plain_name(self.columns.split or ""))
        if flagged and word.lower() in (*_YES, *_NO):
            return (flagged if word.lower() in _YES else SPLITS[0]), ""
        split = split_of(word)
        if split is None:
            raise self.error(
                f"{row.place} has {shown(word)!r} in column {self.columns.split}; use train, validation or test, or "
                "leave it blank; --set data.split_column=none if the column is no split"
            )
        return split, word


Entries = dict[Path, list[tuple[TableRow, ListedFile]]]
"""The rows of each file with their targets."""


def build_dataset(content: TableContent, builder: DatasetBuilder, found: Entries, empty: str) -> Dataset:
    """The dataset of the files, each once.

    Files with contradicting targets or splits are skipped; if they are more than 1 % of the files, the table is
    rejected, because it does not have one target per image.

    Args:
        content: the table.
        builder: with the files that were skipped before.
        found: the rows of each file.
        empty: why there is no dataset if no file is left.

    Raises:
        DataError: no file is left, or rows disagree about too many.
    """
    repeated, contradicting = 0, []
    for entries in found.values():
        first = entries[0][1]
        if any(_target(listed) != _target(first) for _, listed in entries[1:]):
            contradicting.append(entries)
        else:
            builder.files.append(first)
            repeated += len(entries) - 1
    if repeated:
        builder.notes.append(f"rows that repeat an earlier one are merged: {repeated:,}")
    if len(contradicting) > max(1.0, _TOLERATED * len(found)):
        raise content.error(
            f"rows disagree about {len(contradicting):,} of {len(found):,} files, such as "
            f"{contradicting[0][0][1].name} ({_contradiction(contradicting[0])}); "
            "each image needs one target and one split"
        )
    builder.skipped += [
        Skipped(entries[0][1].name, f"rows disagree, {_contradiction(entries)}") for entries in contradicting
    ]
    builder.notes += [*content.lookup.notes(), *content.notes]
    if not builder.files:
        name, why = builder.skipped[0].name, builder.skipped[0].why
        raise content.error(f"{empty}; the first, {name}: {why}{_remedy(content, why)}")
    return builder.build()


def new_builder(content: TableContent, kind: str, names: tuple[str, ...] = ()) -> DatasetBuilder:
    """A builder with what was skipped while the table was read."""
    builder = DatasetBuilder(content.source, NAME, target_kind=kind, names=names, file_kind=content.file_kind)
    builder.skipped += content.table.skipped
    builder.notes += content.table.notes
    return builder


def _remedy(content: TableContent, why: str) -> str:
    column = content.columns.image
    if is_ambiguous(why):
        return f"; put the table into the folder of its images, or write that folder in the column {column}"
    return f"; put the table beside its images, or set the image column (now {column})"


def _target(listed: ListedFile) -> Any:
    values = [None if math.isnan(value) else value for value in listed.value or ()]
    return listed.label, values, listed.split


def _contradiction(entries: list[tuple[TableRow, ListedFile]]) -> str:
    first = entries[0]
    other = next(entry for entry in entries if _target(entry[1]) != _target(first[1]))
    return ", ".join(f"{row.place}: {_shown_target(listed)}" for row, listed in (first, other))


def _shown_target(listed: ListedFile) -> str:
    target = listed.label or shown(", ".join("unknown" if math.isnan(v) else f"{v:g}" for v in listed.value or ()))
    return f"{target} in {listed.split}" if listed.split else target

"""Rows of a table of any file format, and the names of their columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.dataset import Skipped


@dataclass(frozen=True)
class TableFile:
    """A file of a table."""

    path: Path
    split: str = ""
    """The split of all its rows; empty if the file does not tell."""
    root: Path | None = None
    """The folder of the data, if the table is one of several files in it."""

    @property
    def folder(self) -> Path:
        """The folder that its paths are relative to."""
        return self.path.parent

    @property
    def stem(self) -> str:
        """Its path below the root without extension, or the stem of its name."""
        return (self.path.relative_to(self.root) if self.root else Path(self.path.name)).with_suffix("").as_posix()

    @property
    def place(self) -> str:
        """What precedes the number of a row in messages."""
        return f"{self.path.relative_to(self.root).as_posix()} " if self.root else ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row."""

    cells: Mapping[str, str]
    """By column; a missing cell is blank."""
    number: int
    """As a spreadsheet counts, where the header is row 1."""
    file: TableFile

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def place(self) -> str:
        """The row for messages."""
        return f"{self.file.place}row {self.number}"


@dataclass(eq=False)
class TableRows:
    """The rows of one or several files."""

    names: list[str]
    """Of the columns."""
    rows: list[TableRow]
    notes: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    images: tuple[str, ...] = ()
    """Columns of images that were extracted from the file; their cells are absolute paths."""
    aliases: dict[Path, str] = field(default_factory=dict)
    """Names of these images."""

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        return [row[name] for row in self.rows]

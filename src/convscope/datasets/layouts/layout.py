"""Interface of layouts; each layout is one file in this folder and one line in `registry`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convscope.datasets.dataset import Dataset
from convscope.datasets.layouts.table_columns import Columns

Source = str | Path
"""DATA as given by the user: a built-in name, a file or a folder."""


@dataclass(frozen=True)
class Recognised:
    """A layout that recognised a source, with its confidence in (0, 1] and the reason."""

    layout: str
    confidence: float
    because: str


@dataclass(frozen=True)
class ReadSettings:
    """The user's settings of the data: columns of a table, kind of target, and the mask value of unlabelled pixels."""

    columns: Columns | None = None
    target_kind: str | None = None
    ignore: int | None = None


@dataclass(frozen=True)
class Layout:
    """A layout of data on disk."""

    name: str
    confidence: float
    """In (0, 1]: layouts are tried in descending order, and the first that recognises the source reads it."""
    because: Callable[[Source, str | None], str]
    """(source, requested kind of target or None) -> why it is this layout; empty if it is not."""
    read: Callable[[Source, ReadSettings], Dataset]
    """Raises DataError if the source contains no usable data."""

    def recognise(self, source: Source, target_kind: str | None = None) -> Recognised | None:
        """The layout with the reason if it recognises the source; None if not."""
        because = self.because(source, target_kind)
        return Recognised(self.name, self.confidence, because) if because else None

"""What every way of lying on disk answers; each is one file beside this one and a line in `registry`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convscope.data.dataset import Dataset
from convscope.data.layouts.csv_columns import Columns

Source = str | Path
"""DATA as the user says it: a built-in name, a file or a folder."""


@dataclass(frozen=True)
class Recognised:
    """That a layout knows a place: how surely, in (0, 1], and why."""

    layout: str
    confidence: float
    because: str


@dataclass(frozen=True)
class ReadSettings:
    """What the user says of the data: which columns hold what, the kind of targets, a mask's value for no class."""

    columns: Columns | None = None
    target_kind: str | None = None
    ignore: int | None = None


@dataclass(frozen=True)
class Layout:
    """A way of lying on disk."""

    name: str
    confidence: float
    """Of what it recognises, in (0, 1]: layouts are asked from the surest down, and the first that knows it reads."""
    because: Callable[[Source, str | None], str]
    """(source, kind of targets that is wanted or None) -> why it is this layout; empty where it is not."""
    read: Callable[[Source, ReadSettings], Dataset]
    """Raises DataError where nothing there can be used."""

    def recognise(self, source: Source, target_kind: str | None = None) -> Recognised | None:
        """Whether a place lies in this way; None where it does not."""
        because = self.because(source, target_kind)
        return Recognised(self.name, self.confidence, because) if because else None

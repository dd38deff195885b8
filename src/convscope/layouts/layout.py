"""Interface of layouts; each layout is one file in a room of this folder and one line in `registry`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.listing import ListedFolder, ending, walk
from convscope.layouts.folders.folder_tree import Folder, folder_tree
from convscope.layouts.tables.columns import Columns
from convscope.printable import encodable

NEAR = 0.1
"""Two layouts whose confidence differs by less are both possible: the user has to choose."""


@dataclass(frozen=True, eq=False)
class Source:
    """DATA as given by the user: a built-in name, a file or a folder, whose files all layouts list only once."""

    given: str | Path

    def __str__(self) -> str:
        return str(self.given)

    def __fspath__(self) -> str:
        return str(self.path)

    @cached_property
    def path(self) -> Path:
        """The source as a path, with ~ expanded."""
        return Path(self.given).expanduser()

    @cached_property
    def folders(self) -> tuple[tuple[Path, list[str]], ...]:
        """Each visible folder from the source down, with the names of its files; empty if it is not a folder."""
        return tuple((folder.path, folder.names) for folder in self._listed)

    @cached_property
    def tree(self) -> Folder:
        """The same folders with their numbers of images."""
        return folder_tree(self.path, self.folders)

    @property
    def images(self) -> int:
        """Number of visible files with the ending of an image."""
        return self.tree.total

    @cached_property
    def unusable(self) -> tuple[Skipped, ...]:
        """Entries that no layout opens: named pipes, sockets, devices, and folders without permission."""
        return tuple(
            Skipped(encodable((folder.path / name).relative_to(self.path).as_posix()), why)
            for folder in self._listed
            for name, why in folder.unusable
        )

    def files(self, *endings: str) -> list[Path]:
        """The visible files with one of these endings, such as ".xml", in order."""
        found = (entry for wanted in endings for entry in self._by_ending.get(wanted, ()))
        return [place / name for _, place, name in sorted(found, key=lambda entry: entry[0])]

    @cached_property
    def _by_ending(self) -> dict[str, list[tuple[int, Path, str]]]:
        """Ending -> (number in the listing, folder, name); each layout asks for a few of many files."""
        found: dict[str, list[tuple[int, Path, str]]] = {}
        listed = ((place, name) for place, names in self.folders for name in names)
        for number, (place, name) in enumerate(listed):
            found.setdefault(ending(name), []).append((number, place, name))
        return found

    @cached_property
    def _listed(self) -> tuple[ListedFolder, ...]:
        return tuple(walk(self.path)) if self.path.is_dir() else ()


@dataclass(frozen=True)
class Recognised:
    """A layout that recognises a source, with its confidence in (0, 1] and the reason, a clause without "because"."""

    layout: str
    confidence: float
    because: str


@dataclass(frozen=True)
class ReadSettings:
    """The user's settings of the data.

    Attributes:
        columns: names of the columns of a table.
        target_kind: the requested kind of target; None: detected.
        ignore: the mask value of unlabelled pixels.
        layout: the requested layout; None: detected.
        file_kind: the requested kind of file, a name of one of `FILE_KINDS`; "": detected.
    """

    columns: Columns | None = None
    target_kind: str | None = None
    ignore: int | None = None
    layout: str | None = None
    file_kind: str = ""


@dataclass(frozen=True)
class Layout:
    """A layout of data on disk."""

    name: str
    needs: str
    """What a source of this layout contains, for the error if the user requests it for another."""
    recognise: Callable[[Source, ReadSettings], Recognised | None]
    """The confidence that a source is of this layout, from its files, and the reason; None if it is not.

    Of several layouts the one with the highest confidence reads the source; it is an error if the next one is `NEAR`.
    """
    read: Callable[[Source, ReadSettings], Dataset]
    """Raises DataError if the source contains no usable data."""


def confidence_of_share(annotated: int, images: int) -> float:
    """The confidence of a layout that annotates images in files of its own: 0.55 for few images to 0.9 for all.

    Class folders have 0.5, so they are near if less than a seventh of the images is annotated.

    Args:
        annotated: number of images or annotation files, whichever is known.
        images: number of image files of the source.
    """
    return 0.55 + 0.35 * min(1.0, annotated / max(1, images))

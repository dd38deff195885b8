"""The folders of a source with their numbers of images, to find the class folders among them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending

_FEW = 10  # loose images, at most one of so many, do not make a folder a class


@dataclass(eq=False)
class Folder:
    """A folder; counts are of visible files with the ending of an image."""

    name: str
    images: int = 0
    """Directly in it."""
    total: int = 0
    """In it and below."""
    subfolders: dict[str, "Folder"] = field(default_factory=dict)

    @property
    def filled(self) -> list["Folder"]:
        """The subfolders with images."""
        return [folder for folder in self.subfolders.values() if folder.total]

    @property
    def empty(self) -> list[str]:
        """Names of the subfolders without images."""
        return [folder.name for folder in self.subfolders.values() if not folder.total]

    @property
    def has_classes(self) -> bool:
        """Whether its images are in subfolders, except for a few."""
        return bool(self.filled) and self.images * _FEW <= self.total

    @property
    def is_loose(self) -> bool:
        """Whether all of its images are directly in it."""
        return 0 < self.images == self.total

    def names(self) -> set[str]:
        """Names of the subfolders with images."""
        return {folder.name for folder in self.filled}

    def walk(self, parts: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], "Folder"]]:
        """It and all folders below, with their paths."""
        yield parts, self
        for folder in self.subfolders.values():
            yield from folder.walk((*parts, folder.name))


def folder_tree(
    path: Path, folders: Iterable[tuple[Path, list[str]]], endings: Collection[str] = ENDINGS
) -> Folder:  # fmt: skip
    """The tree of the folders below a path, as `Source.folders` lists them, parents first, with files of `endings`."""
    root = Folder(path.name)
    for place, names in folders:
        images = sum(ending(name) in endings for name in names)
        folder = root
        folder.total += images
        for part in place.relative_to(path).parts:
            folder = folder.subfolders.setdefault(part, Folder(part))
            folder.total += images
        folder.images = images
    return root

"""Find the image files that a table names."""

from collections import defaultdict
from functools import cached_property
from pathlib import Path

from convscope.datasets.builder import looks_like_image, visible_files

_FOLDERS = ("images", "image", "imgs", "img", "data")
_SHOWN = 3


class PathLookup:
    """Files in and below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, value: str, split: str) -> Path | str:
        """The file named `value` in a row of the split `split` ("" if none), or why there is none."""
        if not value:
            return "no file name"
        value = value.replace("\\", "/")
        for parent in (self.folder, self.folder / split, *(self.folder / name for name in _FOLDERS)):
            if (parent / value).is_file():
                return parent / value
        name = value.rsplit("/", 1)[-1]
        found = self._by_name.get(name) or self._by_stem.get(name) or []
        if split and len(found) > 1:
            found = [path for path in found if split in path.relative_to(self.folder).parts] or found
        if len(found) > 1:
            shown = ", ".join(self.name(path) for path in found[:_SHOWN])
            return f"{len(found)} files have the name: {shown}{', ...' if len(found) > _SHOWN else ''}"
        return found[0] if found else "no such file"

    def name(self, path: Path) -> str:
        """The file's path relative to the folder, or its absolute path if it is elsewhere."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for path in visible_files(self.folder):
            if looks_like_image(path):
                found[path.name].append(path)
        return dict(found)

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for paths in self._by_name.values():
            for path in paths:
                found[path.stem].append(path)
        return dict(found)

"""The label file of each image of a YOLO data set."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from convscope.datasets.targets.annotations import examples
from convscope.layouts.boxes.image_finder import ImageFinder
from convscope.layouts.layout import Source

_LABELS = "labels"  # the folder
_IMAGES = ("images", "jpegimages", "imgs", "img", "image", "photos")
_NO_LABELS = ("classes", "train", "val", "test", "readme")  # text files of other content


class LabelFiles:
    """The text files below one folder."""

    def __init__(self, source: Source, finder: ImageFinder) -> None:
        self.finder = finder
        self.files = set(source.files(".txt"))

    def of(self, image: Path) -> Path | str:
        """The label file of an image, or why there is none or which images share it."""
        label = self._found(image)
        if isinstance(label, Path) and len(self._users[label]) > 1:
            shared = " and ".join(map(self.finder.name, self._users[label][:3]))
            return f"{shared} have the same label file, {self.finder.name(label)}"
        return label

    def notes(self) -> list[str]:
        """A note if label files have no image."""
        unused = (file for file in self.files - set(self._users) if file.stem.lower() not in _NO_LABELS)
        lost = sorted(file for file in unused if _LABELS in _lower(self.finder.folders(file)))
        first = self.finder.name(lost[0]) if lost else ""
        note = examples(len(lost), ("label file has", "label files have"), ("no image", "no image"), first)
        return [note] if note else []

    def _found(self, image: Path) -> Path | str:
        folders = self.finder.folders(image)
        for i in reversed(range(len(folders))):
            if folders[i].lower() in _IMAGES:
                for name in (_LABELS, _LABELS.capitalize()):
                    replaced = (*folders[:i], name, *folders[i + 1 :], f"{image.stem}.txt")
                    if (path := self.finder.root.joinpath(*replaced)) in self.files:
                        return path
        if image.with_suffix(".txt") in self.files:
            return image.with_suffix(".txt")
        others = self._by_key.get(_key(folders, image.stem), [])
        if len(others) > 1:
            return f"{len(others)} label files have its name: {', '.join(map(self.finder.name, others[:3]))}"
        return others[0] if others else "has no label file"

    @cached_property
    def _users(self) -> dict[Path, list[Path]]:
        """The images of each label file."""
        users = defaultdict(list)
        for image in self.finder.files:
            label = self._found(image)
            if isinstance(label, Path):
                users[label].append(image)
        return users

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], list[Path]]:
        """Label files in folders labels by the path without that folder."""
        found = defaultdict(list)
        for file in sorted(self.files):
            folders = self.finder.folders(file)
            if _LABELS in _lower(folders):
                found[_key(folders, file.stem)].append(file)
        return found


def _key(folders: Sequence[str], stem: str) -> tuple[str, ...]:
    return (*(folder for folder in _lower(folders) if folder not in (_LABELS, *_IMAGES)), stem)


def _lower(folders: Sequence[str]) -> list[str]:
    return [folder.lower() for folder in folders]

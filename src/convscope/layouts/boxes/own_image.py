"""The image of an annotation file that describes one image: the one of its own name, else the one that it names."""

from pathlib import Path

from convscope.datasets.targets.annotations import examples
from convscope.errors import DataError
from convscope.layouts.boxes.image_finder import ImageFinder, Listing, path_parts, same_name


class OwnImages:
    """The images of the annotation files below one folder, and the contradictions in them."""

    def __init__(self, finder: ImageFinder, files: list[Path], kind: str, field: str) -> None:
        """Args:
        finder: the images.
        files: all annotation files.
        kind: what the files are, such as XML.
        field: where a file names its image.
        """
        self.finder, self.kind, self.field = finder, kind, field
        self.annotated = {file.stem for file in files}
        self.stale: list[str] = []

    def find(self, file: Path, named: str) -> Path:
        """The image of an annotation file that names `named`.

        Raises:
            DataError: there is none, or it cannot be decided.
        """
        parts = path_parts(named)
        last = parts[-1] if parts else ""
        own = self.finder.of_annotation(file, file.stem)
        if len(own) > 1:
            own = [path for path in own if path.name == last] or own
        if len(own) > 1:
            raise DataError(f"{len(own)} images have its name: {', '.join(map(self.finder.name, own[:3]))}")
        if own:
            if last and not same_name(last, own[0].name):
                self.stale.append(f"{self.finder.name(file)} names {last}")
            return own[0]
        elsewhere = named.startswith(("/", "\\")) or named[1:2] == ":"  # a path of another machine
        found = self.finder.find(named, file.parent, listing=Listing(len(parts) - 1 if elsewhere else 0))
        if isinstance(found, str):
            raise DataError(f"names the image {named or file.stem}: {found if named else 'no such file'}")
        if found.stem in self.annotated:
            raise DataError(
                f"names the image {named}, which has a file of {self.kind} of its own; no image is called {file.stem}"
            )
        return found

    def notes(self) -> list[str]:
        """What was decided where files name other images."""
        text = f"another image in {self.field} than the one of %s own name, which is used"
        first = self.stale[0] if self.stale else ""
        nouns = f"{self.kind} file names", f"{self.kind} files name"
        note = examples(len(self.stale), nouns, (text % "its", text % "their"), first)
        return [note] if note else []

"""Classes in the first part of the names of recordings, as in 7_jackson_32.wav, all in one folder."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.file_kinds import ENDINGS, RECORDINGS
from convscope.datasets.listing import comparable, ending, stem
from convscope.datasets.targets.classes import CLASSES
from convscope.errors import DataError
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.printable import encodable

_SEPARATORS = ("_", "-")
_PARTS = (2, 3)  # the class, perhaps who or what was recorded, and a number
_NEARLY_ALL = 0.95  # share of the names that have these parts
_REPEATED = 4  # files of each value, on average, from which the middle part says who or what was recorded


@dataclass(frozen=True)
class NameParts:
    """The files of a folder whose names have parts."""

    separator: str
    files: tuple[tuple[Path, tuple[str, ...]], ...]
    others: tuple[Path, ...]

    @property
    def first(self) -> tuple[Path, tuple[str, ...]]:
        """The first file, and the parts of its name."""
        return self.files[0]

    @property
    def classes(self) -> set[str]:
        """The first parts."""
        return {parts[0] for _, parts in self.files}

    @property
    def sources(self) -> list[str]:
        """The middle parts, sorted, if they repeat: who or what was recorded."""
        found = sorted({parts[1] for _, parts in self.files if len(parts) == _PARTS[1]})
        return found if len(found) > 1 and len(self.files) >= _REPEATED * len(found) else []


def name_parts(files: list[Path]) -> NameParts | None:
    """The parts of the names of files, if nearly all have as many, the last a number; None otherwise."""
    for separator in _SEPARATORS:
        split = [(file, tuple(comparable(part) for part in stem(file.name).split(separator))) for file in files]
        numbered = [(file, parts) for file, parts in split if parts[-1].isdecimal() and all(parts)]
        count = Counter(len(parts) for _, parts in numbered if len(parts) in _PARTS).most_common(1)
        if count and count[0][1] >= _NEARLY_ALL * len(files):
            fitting = tuple((file, parts) for file, parts in numbered if len(parts) == count[0][0])
            chosen = {file for file, _ in fitting}
            return NameParts(separator, fitting, tuple(file for file in files if file not in chosen))
    return None


def _files_of(source: Source, endings: frozenset[str]) -> list[Path]:
    """The files of a folder with these endings, if none is deeper."""
    found = [place / name for place, names in source.folders for name in names if ending(name) in endings]
    return found if all(file.parent == source.path for file in found) else []


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    """Recordings whose names have a class and a number; other files only if requested."""
    requested = settings.layout == NAME_PARTS.name
    if settings.target_kind not in (None, CLASSES.name) or not source.path.is_dir() or not source.images:
        return None
    files = _files_of(source, ENDINGS if requested else RECORDINGS.endings)
    found = name_parts(files) if len(files) == source.images else None
    if found is None or len(found.classes) < 2:
        return None
    name = encodable(found.first[0].name)
    return Recognised(NAME_PARTS.name, 0.7, f"the names of its files are a class and a number, such as {name}")


def _read(source: Source, settings: ReadSettings) -> Dataset:
    found = name_parts(_files_of(source, ENDINGS))
    if found is None:
        raise DataError(f"{source}: its names have no class and number, as in 7_jackson_32.wav; rename the files")
    builder = DatasetBuilder(
        str(source.path.absolute()),
        NAME_PARTS.name,
        skipped=list(source.unusable),
        file_kind=settings.file_kind,
    )
    builder.files += [ListedFile(file, encodable(file.name), parts[0]) for file, parts in found.files]
    why = f"has no class in its name, as {encodable(found.first[0].name)} has"
    builder.skipped += [Skipped(encodable(file.name), why) for file in found.others]
    file, parts = found.first
    builder.notes.append(encodable(f"classes are read from the names of the files: {file.name} is {parts[0]}"))
    if found.sources:
        builder.notes.append(
            encodable(
                f"the names also say who or what was recorded ({len(found.sources)} values, such as "
                f"{found.sources[0]}), and splits mix them; --group '{found.separator}(.+){found.separator}' keeps "
                "each in one split"
            )
        )
    return builder.build()


NAME_PARTS = Layout(
    "name-parts",
    "recordings whose names are a class and a number, such as 7_32.wav or 7_jackson_32.wav",
    _recognise,
    _read,
)

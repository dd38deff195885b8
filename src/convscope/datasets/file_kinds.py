"""The kinds of files that layouts on disk list. A new kind is one entry here."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convscope.datasets.dataset import IMAGE_KIND
from convscope.datasets.inputs.arrays import is_array, open_values
from convscope.datasets.inputs.dicom_series import ENDINGS as DICOM_ENDINGS
from convscope.datasets.inputs.dicom_series import first_slices
from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.inputs.opening import ENDINGS as IMAGE_ENDINGS
from convscope.datasets.inputs.sound_files import ENDINGS as SOUND_ENDINGS
from convscope.datasets.inputs.sound_files import SoundHeader, read_sound_headers
from convscope.datasets.inputs.sound_reading import SOUND, describe_recordings
from convscope.datasets.inputs.survey import differs, grey_note, survey, usual_channels
from convscope.datasets.inputs.volume import VolumePreprocessing
from convscope.datasets.inputs.volume_files import ENDINGS as VOLUME_ENDINGS
from convscope.datasets.inputs.volume_files import VOLUME, VolumeHeader, read_volume_headers
from convscope.datasets.inputs.volume_reading import describe_volumes, differing_volumes
from convscope.datasets.inputs.volume_stacks import is_volume_shape
from convscope.datasets.listing import ending
from convscope.errors import ConfigError, DataError, did_you_mean


@dataclass(frozen=True)
class FileKind:
    """How the files of one kind become the fields of a dataset."""

    name: str
    """The kind of input that they become, unless settings change it."""
    nouns: tuple[str, str]
    endings: frozenset[str]
    """In lower case, with the dot."""
    read_headers: Callable[[Sequence[Path]], Sequence[Any]]
    """The header of each file, or why it cannot be used."""
    differing: Callable[[Sequence[Any]], list[str]]
    """For each of all headers that could be read, why it cannot be used beside the others; empty if it can."""
    describe: Callable[[Sequence[Path], Sequence[Any], Sequence[str] | None], dict[str, Any]]
    """Fields of the dataset, and its further notes, from files, their headers and classes (None: none)."""
    flat: bool = False
    """Whether targets with positions, such as boxes, do not apply."""
    are_these: Callable[[Sequence[Path]], bool] = lambda _paths: False
    """Whether files with the extension of an earlier kind are of this one, by their content."""
    firsts: Callable[[Sequence[Path]], dict[Path, Path]] = lambda paths: dict(zip(paths, paths, strict=True))
    """Of each file, the one that stands for its example: of a DICOM series, the first slice."""

    def takes(self, path: Path) -> bool:
        """Whether a file may be of this kind, by its extension."""
        return ending(path.name) in self.endings or kind_of(path) is self


def _differing_images(headers: Sequence[Header]) -> list[str]:
    usual = usual_channels(headers)
    return [differs(header, usual) for header in headers]


def _describe_images(
    paths: Sequence[Path], headers: Sequence[Header], labels: Sequence[str] | None
) -> dict[str, Any]:  # fmt: skip
    pixels = survey(paths, headers)
    notes = [*pixels.notes]
    if labels is not None and (note := grey_note(labels, headers)):
        notes.append(note)
    return {
        "sizes": np.array([(header.height, header.width) for header in headers], np.int64),
        "channels": pixels.channels,
        "modes": dict(sorted(Counter(header.mode for header in headers).items())),
        "white": pixels.range.white,
        "black": pixels.range.black,
        "alpha": pixels.alpha,
        "background": pixels.background,
        "notes": notes,
    }


def _describe_recordings(
    _paths: Sequence[Path], headers: Sequence[SoundHeader], _labels: Sequence[str] | None
) -> dict[str, Any]:  # fmt: skip
    return describe_recordings(headers)


def _describe_volumes(
    paths: Sequence[Path], headers: Sequence[VolumeHeader], _labels: Sequence[str] | None
) -> dict[str, Any]:  # fmt: skip
    return describe_volumes(paths, headers)


def _are_volumes(paths: Sequence[Path]) -> bool:
    """Whether most of the files are arrays, and most of some of the arrays have the shape of a volume."""
    arrays = [path for path in paths if is_array(path)]
    if 2 * len(arrays) <= len(paths):
        return False
    chosen = arrays[:: max(1, len(arrays) // _ARRAYS_OPENED)]
    return 2 * sum(map(_holds_volume, chosen)) > len(chosen)


def _holds_volume(path: Path) -> bool:
    try:
        return is_volume_shape(open_values(path).shape)
    except DataError:
        return False


def _firsts_of_series(paths: Sequence[Path]) -> dict[Path, Path]:
    slices = [path for path in paths if ending(path.name) in DICOM_ENDINGS]
    return {**dict(zip(paths, paths, strict=True)), **first_slices(slices)}


_ARRAYS_OPENED = 16
IMAGES = FileKind(IMAGE_KIND, ("image", "images"), IMAGE_ENDINGS, read_headers, _differing_images, _describe_images)
RECORDINGS = FileKind(
    SOUND,
    ("recording", "recordings"),
    SOUND_ENDINGS,
    read_sound_headers,
    lambda headers: [""] * len(headers),
    _describe_recordings,
    flat=True,
)
VOLUMES = FileKind(
    VOLUME,
    VolumePreprocessing.nouns,
    VOLUME_ENDINGS,
    read_volume_headers,
    differing_volumes,
    _describe_volumes,
    flat=True,
    are_these=_are_volumes,
    firsts=_firsts_of_series,
)
FILE_KINDS = (IMAGES, RECORDINGS, VOLUMES)
ENDINGS = frozenset().union(*(kind.endings for kind in FILE_KINDS))
"""Of files of all kinds."""


def kind_of_files(paths: Sequence[Path], requested: str = "") -> FileKind:
    """The kind as which files of one dataset are read: the requested one, or that of most of them.

    Raises:
        ConfigError: there is no kind of the requested name.
    """
    if requested:
        names = {kind.name: kind for kind in FILE_KINDS}
        if requested not in names:
            raise ConfigError(f"input.kind is {requested!r}, which is no kind of file{did_you_mean(requested, names)}")
        return names[requested]
    return next((kind for kind in FILE_KINDS if kind.are_these(paths)), most_frequent_kind(paths))


def most_frequent_kind(paths: Iterable[Path]) -> FileKind:
    """The kind of most files; images if there are as many, or for extensions of no kind."""
    counts = Counter(kind_of(path) for path in paths)
    return max(FILE_KINDS, key=lambda kind: counts[kind])


def kind_of(path: Path) -> FileKind:
    """The kind of a file by its extension; images for others."""
    return next((kind for kind in FILE_KINDS if ending(path.name) in kind.endings), IMAGES)

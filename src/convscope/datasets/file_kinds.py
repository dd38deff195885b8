"""The kinds of files that layouts on disk list. A new kind is one entry here."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convscope.datasets.inputs.headers import Header, read_headers
from convscope.datasets.inputs.opening import ENDINGS as IMAGE_ENDINGS
from convscope.datasets.inputs.sound_files import ENDINGS as SOUND_ENDINGS
from convscope.datasets.inputs.sound_files import SoundHeader, read_sound_headers
from convscope.datasets.inputs.sound_reading import describe_recordings
from convscope.datasets.inputs.survey import differs, grey_note, survey, usual_channels


@dataclass(frozen=True)
class FileKind:
    """How the files of one kind become the fields of a dataset."""

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


IMAGES = FileKind(("image", "images"), IMAGE_ENDINGS, read_headers, _differing_images, _describe_images)
RECORDINGS = FileKind(
    ("recording", "recordings"),
    SOUND_ENDINGS,
    read_sound_headers,
    lambda headers: [""] * len(headers),
    _describe_recordings,
    flat=True,
)
FILE_KINDS = (IMAGES, RECORDINGS)
ENDINGS = frozenset().union(*(kind.endings for kind in FILE_KINDS))
"""Of files of all kinds."""


def most_frequent_kind(paths: Iterable[Path]) -> FileKind:
    """The kind of most files; images if there are as many, or for extensions of no kind."""
    counts = Counter(kind_of(path) for path in paths)
    return max(FILE_KINDS, key=lambda kind: counts[kind])


def kind_of(path: Path) -> FileKind:
    """The kind of a file by its extension; images for others."""
    return next((kind for kind in FILE_KINDS if path.suffix.lower() in kind.endings), IMAGES)

"""How the images of a dataset are read, found from all of them: channels, range of values, transparency."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convscope.datasets.inputs.arrays import is_array
from convscope.datasets.inputs.headers import Header
from convscope.datasets.inputs.raster import WHITE
from convscope.datasets.inputs.transparency import extreme_share, find_background, sampled
from convscope.datasets.inputs.value_range import ValueRange, find_range, range_note, scale_note

LEAST_EXTREME = 0.5
"""Share of a channel's values that are 0 or 255, from which it is taken for transparency."""
NEARLY_ALL = 0.9
"""Share of grey images of a class from which it counts as grey; of images in colour likewise."""
MOST_NAMED = 3  # classes in a note
_USUAL = (1, 3)
_RGBA = ("RGBA", "RGBA;16")


@dataclass(frozen=True)
class PixelSurvey:
    """What all images of a dataset have in common."""

    channels: int = 3
    range: ValueRange = field(default_factory=ValueRange)
    alpha: bool = True
    """Whether the fourth channel of RGBA files is transparency."""
    background: int = WHITE
    """The grey behind transparent pixels."""
    notes: tuple[str, ...] = ()


def differs(header: Header, usual: int) -> str:
    """Why a file cannot be used beside images of the `usual` number of channels; empty if it can."""
    if header.channels == usual or (header.channels in _USUAL and usual in _USUAL):
        return ""
    count = f"{header.channels} channel{'' if header.channels == 1 else 's'}"
    return f"has {count} and most images have {usual}; put images of each kind in a dataset of their own"


def usual_channels(headers: Sequence[Header]) -> int:
    """The most frequent number of channels; grey and colour count as one kind, with the result 3."""
    counts = Counter(3 if header.channels in _USUAL else header.channels for header in headers)
    return counts.most_common(1)[0][0] if counts else 3


def survey(paths: Sequence[Path], headers: Sequence[Header]) -> PixelSurvey:
    """Look at the images of a dataset, which are of the usual number of channels.

    Args:
        paths: N files.
        headers: their headers.
    """
    usual, notes = usual_channels(headers), []
    channels = 1 if usual in _USUAL and all(header.grey for header in headers) else usual
    rgba = [path for path, header in zip(paths, headers, strict=True) if header.mode in _RGBA]
    alpha = not rgba or _is_transparency(rgba)
    if not alpha:
        channels = 4 if len(rgba) == len(paths) else channels
        notes.append(_alpha_note(len(rgba), channels))
    elif usual not in _USUAL:
        notes.append(
            f"the images have {usual} channels: the network takes all of them; figures show the first, or "
            "those of data.shown_channels"
        )
    background = find_background(rgba) if alpha else WHITE
    if background != WHITE:
        notes.append(
            f"the pictures of RGBA images are white on transparency: their background is made "
            f"{'black' if background == 0 else 'grey'}, as nothing would be seen on white"
        )
    deep = [path for path, header in zip(paths, headers, strict=True) if header.high_bit_depth]
    found = find_range(deep, channels) if deep else ValueRange()
    if deep:
        notes += [note for note in (scale_note(found), range_note(len(deep), found)) if note]
    reduced = sum(header.reduced for header in headers)
    if reduced:
        files = "1 PNG file in colour has" if reduced == 1 else f"{reduced:,} PNG files in colour have"
        notes.append(f"{files} 16 bits per channel, of which the upper 8 are read; save as TIFF or .npy to use all")
    pages = sum(header.pages for header in headers)
    if pages:
        files = "1 TIFF file has" if pages == 1 else f"{pages:,} TIFF files have"
        notes.append(
            f"{files} several pages: the first is used; pages of one channel each are the channels if data.channels is "
            "their number"
        )
    return PixelSurvey(channels, found, alpha, background, tuple(notes))


def grey_note(labels: Sequence[str], headers: Sequence[Header]) -> str:
    """A note if nearly all images of some classes are grey and nearly none of others; else empty.

    Args:
        labels: (N,) classes.
        headers: their headers.
    """
    total = Counter(labels)
    grey = Counter(label for label, header in zip(labels, headers, strict=True) if header.grey)
    shares = {label: grey[label] / count for label, count in sorted(total.items())}
    greys = [label for label, share in shares.items() if share >= NEARLY_ALL]
    colours = [label for label, share in shares.items() if share <= 1 - NEARLY_ALL]
    if not greys or not colours:
        return ""
    return (
        f"the images of {_classes(greys)} are grey and those of {_classes(colours)} in colour, which alone "
        "distinguishes them; set data.channels to 1 to train on greys only"
    )


def _classes(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"class{'' if len(names) == 1 else 'es'} {', '.join(names[:MOST_NAMED])}{more}"


def arrays_beside_images(paths: Sequence[Path]) -> bool:
    """Whether some files are arrays and others images: then the arrays are other data of the images."""
    arrays = sum(is_array(path) for path in paths)
    return 0 < arrays < len(paths)


def _is_transparency(paths: Sequence[Path]) -> bool:
    """Whether at least half of the fourth channel of up to 64 files is clear or opaque."""
    shares = [share for share in sampled(paths, extreme_share) if share is not None]
    return not shares or float(np.mean(shares)) >= LEAST_EXTREME


def _alpha_note(count: int, channels: int) -> str:
    files = "the fourth channel of 1 RGBA image is" if count == 1 else f"the fourth channel of {count:,} RGBA images is"
    cause = f"{files} no transparency, as most of its values are between 0 and 255"
    if channels == 4:
        return f"{cause}: it is trained on as a channel like the others; set data.channels to 3 to leave it out"
    return f"{cause}: it is left out"

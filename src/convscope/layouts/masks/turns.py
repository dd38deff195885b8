"""Photographs that EXIF turns, and masks that were drawn on their pixels as stored."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from convscope.datasets.inputs.opening import open_image, orientation, quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError

_UNKNOWN = (
    "is turned by EXIF, and neither its size nor the other images tell whether its mask is; "
    "save the image upright, without EXIF orientation"
)
STORED, UPRIGHT = "stored", "upright"


@dataclass(frozen=True)
class MaskSize:
    """(H, W) of an image's mask, and whether the mask has an EXIF orientation of its own, which is applied to it."""

    size: tuple[int, int]
    turned: bool


def find_turns(images: Sequence[Path], masks: Sequence[MaskSize]) -> list[int | str]:
    """The EXIF orientation that each mask takes from its image, 1 for none, or why it cannot be told.

    A mask of the image's size as stored is turned, one of its size upright is not. Where both are equal, as for square
    images, the mask follows the others of the set, if these agree.
    """
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-masks") as pool:
        headers = list(pool.map(_header, images))
    drawn = [_drawn_on(*header, mask) for header, mask in zip(headers, masks, strict=True)]
    known = {one for one in drawn if one}
    turns: list[int | str] = []
    for (_, turned), mask, on in zip(headers, masks, drawn, strict=True):
        if turned == 1 or mask.turned:
            turns.append(1)
        elif not on and len(known) != 1:
            turns.append(_UNKNOWN)
        else:
            turns.append(turned if (on or next(iter(known))) == STORED else 1)
    return turns


def _drawn_on(stored: tuple[int, int], turned: int, mask: MaskSize) -> str:
    """Whether a mask was drawn on the image as STORED or UPRIGHT; empty if its size does not tell."""
    if turned < 5 or mask.turned or stored[0] == stored[1]:
        return ""
    return STORED if mask.size == stored else UPRIGHT if mask.size == stored[::-1] else ""


def _header(path: Path) -> tuple[tuple[int, int], int]:
    """(H, W) as stored, and the EXIF orientation; (0, 0) and 1 if the file cannot be read."""
    try:
        with open_image(path) as image:
            return (image.height, image.width), orientation(image)
    except DataError:
        return (0, 0), 1

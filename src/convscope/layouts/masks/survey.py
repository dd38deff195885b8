"""What mask files hold: the values of each, before the values of all decide which of them are classes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.opening import open_image, orientation, quiet_pillow, upright_size
from convscope.datasets.store.resources import usable_cores
from convscope.datasets.targets.mask_files import COLOUR, TRANSPARENT, code_bands, one_if_large
from convscope.errors import DataError

MOST = 64  # values other than greys of 8 bits; a file with more is not a mask
TOO_MANY = f"has more than {MOST} values: an image, or a mask that lost its values in a JPEG or a resize"
GREY, INDEX, COLOURED = "grey", "palette", "colour"


@dataclass(frozen=True, eq=False)
class MaskSurvey:
    """One mask file."""

    encoding: str
    """GREY, INDEX (of a palette that is not the greys themselves), or COLOURED: a file with three or more channels."""
    counts: dict[int, int]
    """Pixels of each code, see `mask_files.code_bands`."""
    between: dict[int, int]
    """Of these, pixels whose 3 x 3 neighbours include both a lower and a higher grey, as on a smoothed edge."""
    size: tuple[int, int]
    """(H, W), upright."""
    turned: bool = False
    """Whether it has an EXIF orientation of its own."""
    palette: dict[int, int] = field(default_factory=dict)
    """Index -> 0xRRGGBB."""
    is_jpeg: bool = False

    @property
    def colours(self) -> dict[int, int]:
        """The palette's colours of the indices that occur."""
        return {index: self.palette.get(index, 0) for index in self.counts}


def survey(paths: Sequence[Path]) -> list[MaskSurvey | str]:
    """What each mask file holds, or why it cannot be used, in order."""
    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-masks") as pool:
        return list(pool.map(survey_file, paths))


def survey_file(path: Path) -> MaskSurvey | str:
    """What a mask file holds, or why it cannot be used."""
    try:
        with open_image(path) as image, one_if_large(image):
            return _survey(image)
    except DataError as error:
        return f"cannot be used: {str(error).removeprefix(f'{path}: ')}"


def _survey(image: Image.Image) -> MaskSurvey | str:
    counts: dict[int, int] = {}
    between: dict[int, int] = {}
    for codes in code_bands(image):
        greys = _greys(codes)
        if greys is None:
            _add_values(counts, between, codes)
            if len(counts) > MOST:
                return TOO_MANY
            continue
        offset = COLOUR if codes.dtype != np.uint8 else 0
        _add(counts, *_histogram(greys), offset)
        if np.ptp(greys) > 1:
            _add(between, *_histogram(greys[_between(greys)]), offset)
    turned, palette = orientation(image), _palette(image)
    encoding = INDEX if palette else COLOURED if image.mode not in ("1", "L", "P") and _any_colour(counts) else GREY
    return MaskSurvey(
        encoding, counts, between, upright_size(image.size, turned), turned != 1, palette, image.format == "JPEG"
    )


def _greys(codes: NDArray[Any]) -> NDArray[np.uint8] | None:
    """The greys of 8 bits that codes stand for; None if they are anything else."""
    if codes.dtype == np.uint8:
        return codes
    red, green, blue = (codes >> 16) & 255, (codes >> 8) & 255, codes & 255
    plain = ((codes >> 24) == 1) & (red == green) & (green == blue)
    return blue.astype(np.uint8) if plain.all() else None


def _add_values(counts: dict[int, int], between: dict[int, int], codes: NDArray[Any]) -> None:
    values, inverse, number = np.unique(codes, return_inverse=True, return_counts=True)
    _add(counts, values, number)
    if len(counts) <= MOST:
        red, green, blue = (values >> 16) & 255, (values >> 8) & 255, values & 255
        order = np.where(values >> 24 == 1, 2 * red + 5 * green + blue, values)  # a blend lies between its colours
        ranks = np.argsort(np.argsort(order)).astype(np.uint8)[inverse].reshape(codes.shape)
        _add(between, *np.unique(codes[_between(ranks)], return_counts=True))


def _between(greys: NDArray[np.uint8]) -> NDArray[np.bool_]:
    low = high = np.pad(greys, 1, mode="edge")
    low = np.minimum(np.minimum(low[:-2], low[1:-1]), low[2:])
    high = np.maximum(np.maximum(high[:-2], high[1:-1]), high[2:])
    low = np.minimum(np.minimum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    high = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    found: NDArray[np.bool_] = (low < greys) & (greys < high)
    return found


def _histogram(greys: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    counts = np.bincount(greys.ravel(), minlength=256)
    values = np.flatnonzero(counts)
    return values, counts[values]


def _add(total: dict[int, int], values: NDArray[Any], counts: NDArray[np.int64], offset: int = 0) -> None:
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        code = COLOUR + value * 0x010101 if offset else value
        total[code] = total.get(code, 0) + count


def _any_colour(counts: dict[int, int]) -> bool:
    return any(COLOUR <= code < TRANSPARENT for code in counts)


def _palette(image: Image.Image) -> dict[int, int]:
    """Index -> 0xRRGGBB of a palette file; empty for others, and if the colours are the greys of the indices."""
    if image.mode != "P":
        return {}
    flat = image.getpalette("RGB") or []
    colours = {i: (flat[3 * i] << 16) + (flat[3 * i + 1] << 8) + flat[3 * i + 2] for i in range(len(flat) // 3)}
    return {} if all(colour == i * 0x010101 for i, colour in colours.items()) else colours

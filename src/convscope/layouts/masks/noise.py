"""Masks whose values a JPEG or a resize with interpolation has blurred: two values are recovered, more are an error."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from convscope.datasets.targets.mask_files import COLOUR, TRANSPARENT
from convscope.errors import DataError
from convscope.layouts.masks.survey import MOST, MaskSurvey

_NEAR = 32  # greys from 0 or from 255 that JPEG at usual qualities moves a value by
_ON_EDGES = 0.5  # share of a value's pixels that lie between a lower and a higher one, from which on it is no area
_JPEG = "is a JPEG, which changes values; save it as PNG"
_AREA = 0.01  # share of the pixels from which on a value is an area


class LossyError(DataError):
    """The values of masks cannot be recovered."""


@dataclass(frozen=True)
class TwoValues:
    """How blurred greys become 0 and 255; empty if the values are exact."""

    aliases: dict[int, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    """File -> why it cannot be used."""


def nearest_of_two(files: Sequence[MaskSurvey | str], values: Mapping[int, int]) -> TwoValues:
    """Recover 0 and 255 from the greys of files, if they cluster there.

    Args:
        files: what each file holds.
        values: code -> value where they differ.

    Raises:
        LossyError: the files hold more than two blurred values.
    """
    reasons: dict[int, str] = {}
    surveys: dict[int, MaskSurvey] = {}
    for i, file in enumerate(files):
        if isinstance(file, MaskSurvey):
            if len(file.counts) > MOST and _share_near(_pooled([file.counts], values)) < 0.5:
                reasons[i] = f"has {len(file.counts)} values, more than {MOST}: an image, not a mask"
            else:
                surveys[i] = file
    counts = _pooled([file.counts for file in surveys.values()], values)
    between = _pooled([file.between for file in surveys.values()], values)
    is_jpeg = any(file.is_jpeg for file in surveys.values())
    deep = any(255 < code < COLOUR for file in surveys.values() for code in file.counts)  # 16 bits: no blends
    if deep or len(counts) <= 2 or not _is_blurred(counts, between, is_jpeg):
        return TwoValues(reasons=reasons)
    if not _are_two(counts, between):
        if is_jpeg and not all(file.is_jpeg for file in surveys.values()):
            jpegs = {i: _JPEG for i, file in surveys.items() if file.is_jpeg}
            exact = nearest_of_two([jpegs.get(i, file) for i, file in enumerate(files)], values)
            return replace(exact, reasons={**jpegs, **exact.reasons, **reasons})
        in_colour = max(counts) > 255
        shown = ", ".join(f"#{value:06x}" if in_colour else str(value) for value in sorted(counts)[:5])
        raise LossyError(
            f"the masks hold {len(counts)} values, such as {shown}, as a JPEG or a resize with interpolation leaves "
            "them; save them as PNG, and resize by nearest neighbour"
        )
    for i, file in surveys.items():
        if not file.is_jpeg and {values.get(code, code) for code in file.counts} == {0, 1}:
            reasons[i] = "has the values 0 and 1, and the others 0 to 255; save all alike"
    aliases = {code: 255 * (grey >= 128) for grey in range(256) for code in (grey, COLOUR + grey * 0x010101)}
    note = (
        f"the masks hold {len(counts)} values, as a JPEG or a smoothed resize leaves them; values near 0 and 255 are "
        "read as 0 and 255"
    )
    return TwoValues(aliases, [note], reasons)


def _pooled(counts: Sequence[Mapping[int, int]], values: Mapping[int, int]) -> Counter[int]:
    """Pixels of each value, without the transparent ones."""
    total: Counter[int] = Counter()
    for one in counts:
        for code, count in one.items():
            if code != TRANSPARENT:
                total[values.get(code, code)] += count
    return total


def _is_near(value: int) -> bool:
    return 0 <= value <= _NEAR or 255 - _NEAR <= value <= 255


def _share_near(counts: Mapping[int, int]) -> float:
    return sum(count for value, count in counts.items() if _is_near(value)) / max(1, sum(counts.values()))


def _is_blurred(counts: Mapping[int, int], between: Mapping[int, int], is_jpeg: bool) -> bool:
    """Whether values lie on edges only; small ones may be the indices of thin classes."""
    edges = [value for value, count in counts.items() if between.get(value, 0) >= _ON_EDGES * count]
    if max(counts) < 256:
        low, high = sum(value <= _NEAR for value in counts), sum(value >= 255 - _NEAR for value in counts)
        noise = low > 1 and high > 1 and low + high == len(counts)  # of a JPEG, as no classes are numbered like that
        return is_jpeg or noise or len(counts) > MOST or sum(not _is_near(value) for value in edges) >= 2
    return len(edges) >= 3 and 2 * len(edges) >= len(counts)


def _are_two(counts: Mapping[int, int], between: Mapping[int, int]) -> bool:
    """Whether areas have values near 0 and near 255 only."""
    total = sum(counts.values())
    areas = {
        value for value, count in counts.items() if count >= _AREA * total and between.get(value, 0) < _ON_EDGES * count
    }
    return (
        max(counts) < 256
        and all(_is_near(value) for value in areas)
        and any(value < 128 for value in areas)
        and any(value > 128 for value in areas)
        and _share_near(counts) >= 0.5
    )

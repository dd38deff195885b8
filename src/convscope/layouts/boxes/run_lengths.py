"""The box around a mask in COCO's run lengths: down the columns, background first, as numbers or as text.

The text is that of pycocotools (`rleToString` in maskApi.c): each number in groups of five bits, lowest first, as
characters from "0" on; from the fourth on, a number is the difference to the one two before it.
"""

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from convscope.datasets.targets.annotated_size import Box
from convscope.layouts.boxes.json_files import reals

_GROUPS = 13  # of five bits, of a number of 64 bits


def box_of_run_lengths(mask: Mapping[str, Any]) -> Box | None:
    """The box around the pixels of a mask `{"size": [height, width], "counts": ...}`; None if it is not valid or empty.

    >>> box_of_run_lengths({"size": [4, 5], "counts": [5, 2, 2, 2, 9]})
    (1.0, 1.0, 3.0, 3.0)
    >>> box_of_run_lengths({"size": [4, 5], "counts": "52207"})
    (1.0, 1.0, 3.0, 3.0)
    """
    size, written = reals(mask.get("size")), mask.get("counts")
    runs = numbers_of_text(written) if isinstance(written, str) else reals(written)
    if len(size) != 2 or not all(math.isfinite(run) and run >= 0 and run == int(run) for run in (*runs, *size)):
        return None
    height, ends = int(size[0]), list(accumulate(int(run) for run in runs))
    if height < 1 or not ends or ends[-1] != height * int(size[1]):
        return None
    filled = [(first, end) for first, end in zip(ends[0::2], ends[1::2], strict=False) if end > first]
    if not filled:
        return None
    rows = [
        (0, height) if (end - 1) // height > first // height else (first % height, (end - 1) % height + 1)
        for first, end in filled
    ]
    left, right = filled[0][0] // height, (filled[-1][1] - 1) // height + 1
    return float(left), float(min(top for top, _ in rows)), float(right), float(max(bottom for _, bottom in rows))


def numbers_of_text(text: str) -> list[int]:
    """The run lengths that pycocotools writes as text; empty if it is cut short or holds other characters."""
    runs: list[int] = []
    value = groups = 0
    for code in (ord(character) - 48 for character in text):
        if not 0 <= code < 64 or groups >= _GROUPS:
            return []
        value |= (code & 31) << 5 * groups
        groups += 1
        if code & 32:
            continue
        if code & 16:
            value -= 1 << 5 * groups
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = groups = 0
    return [] if groups else runs

"""Figures of the gates of squeeze-and-excite blocks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convscope.analysis.layout import chart, titled

MAX_ROWS = 40


def gate_sheet(rows: np.ndarray, names: Sequence[str], block: str, note: str) -> np.ndarray:
    """Draw gates as a map: one row per class or image, one column per channel, dark 0 and bright 1.

    Args:
        rows: (R, C) in [0, 1]; of more than `MAX_ROWS` the first are drawn.
        names: of the rows.
        block: the title.
        note: the line below it.
    """
    rows, names = rows[:MAX_ROWS], names[:MAX_ROWS]

    def draw(axes: Any) -> None:
        picture = axes.imshow(rows, aspect="auto", interpolation="nearest", vmin=0, vmax=1, cmap="viridis")
        axes.set_yticks(range(len(names)), [str(name) for name in names], parse_math=False)
        axes.set_xlabel("channel")
        axes.figure.colorbar(picture, ax=axes, label="gate")

    return titled(chart(draw, (7.5, 1.3 + 0.22 * len(names))), block, note)

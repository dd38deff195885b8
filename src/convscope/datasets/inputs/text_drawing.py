"""Draw a text, also with a colour behind each of its parts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from convscope.printable import printable

Part = tuple[str, float]
"""A part of a text, and its weight from -1 (blue) to 1 (red)."""
_LINE, _MARGIN = 14, 4
_INK = (33, 37, 41)
_FOR, _AGAINST = np.array([214, 96, 77]), np.array([67, 147, 195])


def draw_text(parts: Sequence[Part], width: int = 240, most_lines: int = 8) -> NDArray[np.uint8]:
    """(H, W, 3) parts of a text with blanks between them, in lines; what does not fit in `most_lines` is left out."""
    font = ImageFont.load_default(11)
    lines: list[list[tuple[float, str, float]]] = [[]]
    across = float(_MARGIN)
    for word, weight in parts:
        text = printable(word)
        length = font.getlength(f"{text} ")
        if across + length > width - _MARGIN and lines[-1]:
            if len(lines) == most_lines:
                break
            lines.append([])
            across = float(_MARGIN)
        lines[-1].append((across, text, weight))
        across += length
    image = Image.new("RGB", (width, 2 * _MARGIN + _LINE * len(lines)), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        top = _MARGIN + _LINE * number
        for left, text, weight in line:
            if weight:
                draw.rectangle((left - 1, top, left + font.getlength(text) + 1, top + _LINE - 2), fill=color_of(weight))
            draw.text((left, top), text, fill=_INK, font=font)
    return np.asarray(image)


def color_of(weight: float) -> tuple[int, int, int]:
    """White for 0, to red for 1 and to blue for -1.

    >>> color_of(0), color_of(1), color_of(-1)
    ((255, 255, 255), (214, 96, 77), (67, 147, 195))
    """
    share = min(1.0, abs(weight))
    red, green, blue = np.rint(255 + share * ((_FOR if weight > 0 else _AGAINST) - 255)).astype(int).tolist()
    return red, green, blue

"""Layout of figures: titles, rows with labels, frames; all (H, W, 3) uint8 on white."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convscope.datasets import shown_channels
from convscope.explainers import grid, tile
from convscope.extras import extra

INK, SOFT, OTHER, SAME = (31, 36, 40), (104, 112, 122), (204, 45, 45), (214, 218, 222)
_SIZES = {"heading": 24, "title": 17, "note": 13, "label": 12, "small": 11}


def font(kind: str) -> Any:
    """Return the font of titles, notes or labels."""
    return ImageFont.load_default(size=_SIZES[kind])


def shortened(text: str, width: int, kind: str = "label") -> str:
    """Return the text, shortened at the start to at most so many pixels."""
    typeface = font(kind)
    if typeface.getlength(text) <= width:
        return text
    while text and typeface.getlength("…" + text) > width:
        text = text[1:]
    return "…" + text


def wrapped(text: str, width: int, kind: str = "note") -> list[str]:
    """Wrap the text to lines of at most so many pixels."""
    typeface, lines = font(kind), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if typeface.getlength(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def sized(picture: np.ndarray, side: int) -> np.ndarray:
    """Resize the picture so that its longer side is `side`: nearest-neighbour up, box filter down."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    filter_ = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize(size, filter_))


def squared(picture: np.ndarray, side: int) -> np.ndarray:
    """Resize as `sized`, centred on a white square."""
    small = sized(picture, side)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square


def image_tile(pixels: np.ndarray, side: int, shown: tuple[int, ...] = ()) -> np.ndarray:
    """Return an image (C, H, W) in [0, 1] as a square tile of the channels `shown`, see `shown_channels`."""
    return squared(tile(shown_channels(pixels, shown)), side)


def with_frame(picture: np.ndarray, color: tuple[int, int, int], width: int = 3) -> np.ndarray:
    """Draw a frame inside the picture's edge."""
    drawn = picture.copy()
    for edge in (np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:]):
        drawn[edge] = color
    return drawn


def table(rows: Sequence[tuple[str, Sequence[np.ndarray], Sequence[str]]]) -> np.ndarray:
    """Draw rows of tiles, with a label above each row and a name above each tile.

    Args:
        rows: (label, tiles of one size, their names or ()).
    """
    parts = []
    for label, tiles, names in rows:
        side = tiles[0].shape[1]
        strip = grid(list(tiles), [shortened(name, side) for name in names], columns=len(tiles))
        parts.append(
            headed(strip, [(line, "label", INK) for line in wrapped(label, max(strip.shape[1] - 8, 240), "label")])
        )
    return stacked(parts)


def stacked(parts: Sequence[np.ndarray], gap: int = 6) -> np.ndarray:
    """Stack pictures vertically."""
    width = max(part.shape[1] for part in parts)
    padded = [np.pad(part, ((0, gap), (0, width - part.shape[1]), (0, 0)), constant_values=255) for part in parts]
    return np.concatenate(padded)


def beside(parts: Sequence[np.ndarray], gap: int = 8) -> np.ndarray:
    """Stack pictures horizontally, aligned at the top."""
    height = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, height - part.shape[0]), (0, gap), (0, 0)), constant_values=255) for part in parts]
    return np.concatenate(padded, axis=1)


def headed(picture: np.ndarray, lines: Sequence[tuple[str, str, tuple[int, int, int]]]) -> np.ndarray:
    """Draw lines of (text, font, colour) above the picture, as wide as the widest."""
    heights = [_SIZES[kind] + 6 for _, kind, _ in lines]
    width = max([picture.shape[1], *(int(font(kind).getlength(text)) + 10 for text, kind, _ in lines)])
    head = Image.new("RGB", (width, sum(heights)), (255, 255, 255))
    pen, top = ImageDraw.Draw(head), 0
    for (text, kind, colour), height in zip(lines, heights, strict=True):
        pen.text((5, top + 2), text, fill=colour, font=font(kind))
        top += height
    return stacked([np.asarray(head), picture], gap=0)


def titled(picture: np.ndarray, title: str, note: str = "") -> np.ndarray:
    """Draw a title and a note above the picture."""
    width = max(picture.shape[1] - 12, 460)
    lines = [(line, "title", INK) for line in wrapped(title, width, "title")]
    lines += [(line, "note", SOFT) for line in wrapped(note, width)] if note else []
    gap = np.pad(picture, ((8, 0), (0, 0), (0, 0)), constant_values=255)
    return np.pad(headed(gap, lines), ((8, 8), (8, 8), (0, 0)), constant_values=255)


def chart(draw: Callable[[Any], None], inches: tuple[float, float] = (7.5, 3.6)) -> np.ndarray:
    """Return what `draw(axes)` plots with matplotlib as a picture."""
    with extra("report", "charts"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained", dpi=110)
    canvas: Any = FigureCanvasAgg(figure)
    draw(figure.subplots())
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()

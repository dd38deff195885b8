"""Arrays to pictures: tiles, heat maps, overlays, grids with ids, thumbnails on a map. All uint8 (H, W, 3)."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convscope.errors import ConfigError

_HEAT = np.array([[0, 0, 12], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]])
_SIGNED = np.array([[33, 80, 160], [130, 170, 220], [245, 245, 245], [235, 150, 120], [170, 30, 40]])
_CONTRAST = 0.75  # of an image under a map
_BACKGROUND, _INK, _MARK = 255, (40, 40, 40), (200, 30, 30)


def tile(image: np.ndarray) -> np.ndarray:
    """Return an image (C, H, W) in [0, 1] as a picture: grey for one channel, colour for three, else side by side."""
    levels = (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
    if len(levels) == 3:
        return np.asarray(levels.transpose(1, 2, 0))
    return np.repeat(np.concatenate(list(levels), axis=1)[..., None], 3, axis=2)


def kernel_tile(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel (C, h, w) as a picture in which zero is mid-grey and its largest weight black or white."""
    largest = np.abs(kernel).max()
    return tile(kernel / (2 * largest) + 0.5 if largest > 0 else np.full(kernel.shape, 0.5))


def map_tile(values: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Return a map (h, w) as a picture: from black up where nothing is negative, else blue, white at zero, red.

    Args:
        values: the map.
        largest: what takes the last colour; None is the map's own largest magnitude.
    """
    top = float(np.abs(values).max()) if largest is None else largest
    share = values / top if top > 0 else np.zeros(values.shape)
    return _colored(share, _HEAT) if values.min() >= 0 else _colored((share + 1) / 2, _SIGNED)


def enlarge(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return maps (B, h, w) at size (H, W), bilinear, each value at the middle of what it covers."""
    height, width = size
    pictures = [Image.fromarray(values.astype(np.float32)) for values in maps]
    grown = [picture.resize((width, height), Image.Resampling.BILINEAR) for picture in pictures]
    return np.stack([np.asarray(picture, np.float32) for picture in grown])


def overlay(image: np.ndarray, values: np.ndarray, strength: float = 0.75) -> np.ndarray:
    """Return the image in softened grey with the map over it, opaque in proportion to the map's magnitude.

    A map that is nowhere negative glows from violet to yellow; any other is red above zero and blue below.

    Args:
        image: (C, H, W) in [0, 1].
        values: (h, w) map of any size; enlarged to the image's.
        strength: the largest opacity.
    """
    grown = enlarge(values[None], (image.shape[1], image.shape[2]))[0]
    top = np.abs(grown).max()
    opacity = strength * (np.abs(grown) / top if top > 0 else np.zeros_like(grown))[..., None]
    grey = np.repeat(image.mean(0)[..., None], 3, axis=2).clip(0, 1)
    soft = 255 * (0.5 + _CONTRAST * (grey - 0.5))  # colours would drown on black and on white
    colours = map_tile(grown) if grown.min() >= 0 else np.where(grown[..., None] > 0, _SIGNED[-1], _SIGNED[0])
    return np.asarray((1 - opacity) * soft + opacity * colours).round().astype(np.uint8)


def grid(
    tiles: Sequence[np.ndarray],
    names: Sequence[str] = (),
    columns: int | None = None,
    scale: int = 1,
    marked: Sequence[bool] = (),
) -> np.ndarray:
    """Return tiles in rows, each with its name above, on white.

    Args:
        tiles: (h, w, 3) uint8 of one size.
        names: one for each tile, as ids; none writes none.
        columns: None makes it about square.
        scale: each pixel becomes this many squared, with hard edges.
        marked: tiles with a red cross, such as empty channels.
    Raises:
        ConfigError: no tiles, tiles of several sizes, or a name or mark too many or too few.
    """
    _check(tiles, names, marked)
    columns = columns or int(np.ceil(np.sqrt(len(tiles))))
    height, width = (length * scale for length in tiles[0].shape[:2])
    font = ImageFont.load_default(size=11)
    header = 14 if names else 0
    step_y, step_x = height + header + 4, max(width, *(int(font.getlength(name)) for name in names), 0) + 4
    sheet = Image.new("RGB", (columns * step_x + 4, -(-len(tiles) // columns) * step_y + 4), (_BACKGROUND,) * 3)
    pen = ImageDraw.Draw(sheet)
    for place, picture in enumerate(tiles):
        top, left = place // columns * step_y + 4, place % columns * step_x + 4
        if names:
            pen.text((left, top), names[place], fill=_INK, font=font)
        large = Image.fromarray(picture.repeat(scale, 0).repeat(scale, 1))
        sheet.paste(large, (left, top + header))
        if marked and marked[place]:
            box = (left, top + header, left + width - 1, top + header + height - 1)
            pen.rectangle(box, outline=_MARK)
            pen.line(box, fill=_MARK)
    return np.asarray(sheet)


def thumbnails(
    points: np.ndarray, tiles: Sequence[np.ndarray], side: int = 1000, colors: np.ndarray | None = None
) -> np.ndarray:
    """Return a square picture with each tile at its point.

    Args:
        points: (N, 2), any units; spread over the picture with one scale for both axes.
        tiles: N pictures (h, w, 3) uint8.
        side: of the picture in pixels.
        colors: (N, 3) uint8 frames, such as one colour for each class.
    """
    sheet = Image.new("RGB", (side, side), (_BACKGROUND,) * 3)
    pen = ImageDraw.Draw(sheet)
    largest = max(max(picture.shape[:2]) for picture in tiles)
    low, spread = points.min(0), float(np.ptp(points, axis=0).max()) or 1.0
    places = ((points - low) / spread * (side - largest - 4)).astype(int) + 2
    for index, ((x, y), picture) in enumerate(zip(places.tolist(), tiles, strict=True)):
        sheet.paste(Image.fromarray(picture), (x, y))
        if colors is not None:
            height, width = picture.shape[:2]
            frame = tuple(int(level) for level in colors[index])
            pen.rectangle((x - 2, y - 2, x + width + 1, y + height + 1), outline=frame, width=2)
    return np.asarray(sheet)


def _colored(share: np.ndarray, palette: np.ndarray) -> np.ndarray:
    place = np.clip(share, 0, 1) * (len(palette) - 1)
    channels = [np.interp(place, np.arange(len(palette)), palette[:, channel]) for channel in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def _check(tiles: Sequence[np.ndarray], names: Sequence[str], marked: Sequence[bool]) -> None:
    if not len(tiles):
        raise ConfigError("grid: no tiles; give at least one picture")
    sizes = sorted({picture.shape[:2] for picture in tiles})
    if len(sizes) > 1:
        raise ConfigError(f"grid: tiles of several sizes, such as {sizes[0]} and {sizes[1]}; make them one size")
    for what, given in (("names", names), ("marks", marked)):
        if given and len(given) != len(tiles):
            raise ConfigError(f"grid: {len(given)} {what} for {len(tiles)} tiles; give one for each, or none")

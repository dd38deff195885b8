"""Render arrays as uint8 images (H, W, 3): tiles, heat maps, overlays, labelled grids, thumbnail scatter plots."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convscope.errors import ConfigError

_HEAT = np.array([[0, 0, 12], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]])
_SIGNED = np.array([[33, 80, 160], [130, 170, 220], [245, 245, 245], [235, 150, 120], [170, 30, 40]])
_CONTRAST = 0.75  # of an image under an overlay
_BACKGROUND, _INK, _MARK = 255, (40, 40, 40), (200, 30, 30)


def tile(image: np.ndarray) -> np.ndarray:
    """Render an image (C, H, W) in [0, 1]: grey for one channel, colour for three, otherwise channels side by side."""
    levels = (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
    if len(levels) == 3:
        return np.asarray(levels.transpose(1, 2, 0))
    return np.repeat(np.concatenate(list(levels), axis=1)[..., None], 3, axis=2)


def kernel_tile(kernel: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Render a kernel (C, h, w): zero is mid-grey, a weight of magnitude `largest` black or white.

    None is the largest magnitude of the kernel, which makes weak kernels look like strong ones.
    """
    largest = float(np.abs(kernel).max()) if largest is None else largest
    return tile(kernel / (2 * largest) + 0.5 if largest > 0 else np.full(kernel.shape, 0.5))


def map_tile(values: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Render a map (h, w): a sequential palette if no value is negative, otherwise blue to white (zero) to red.

    Args:
        values: the map.
        largest: the magnitude of the last colour; None is the map's largest magnitude.
    """
    top = float(np.abs(values).max()) if largest is None else largest
    fraction = values / top if top > 0 else np.zeros(values.shape)
    return _colored(fraction, _HEAT) if values.min() >= 0 else _colored((fraction + 1) / 2, _SIGNED)


def enlarge(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize maps (B, h, w) to size (H, W), bilinearly, each value at the centre of the area it covers."""
    height, width = size
    images = [Image.fromarray(values.astype(np.float32)) for values in maps]
    resized = [image.resize((width, height), Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(image, np.float32) for image in resized])


def overlay(image: np.ndarray, values: np.ndarray, strength: float = 0.75) -> np.ndarray:
    """Overlay a map on the image in low-contrast grey; opacity is proportional to the map's magnitude.

    A map without negative values is drawn from violet to yellow; any other red above zero and blue below.

    Args:
        image: (C, H, W) in [0, 1].
        values: (h, w) map of any size; resized to the image.
        strength: the largest opacity.
    """
    resized = enlarge(values[None], (image.shape[1], image.shape[2]))[0]
    top = np.abs(resized).max()
    opacity = strength * (np.abs(resized) / top if top > 0 else np.zeros_like(resized))[..., None]
    grey = np.repeat(image.mean(0)[..., None], 3, axis=2).clip(0, 1)
    background = 255 * (0.5 + _CONTRAST * (grey - 0.5))  # keeps colours visible on black and on white
    colours = map_tile(resized) if resized.min() >= 0 else np.where(resized[..., None] > 0, _SIGNED[-1], _SIGNED[0])
    return np.asarray((1 - opacity) * background + opacity * colours).round().astype(np.uint8)


def grid(
    tiles: Sequence[np.ndarray],
    names: Sequence[str] = (),
    columns: int | None = None,
    scale: int = 1,
    marked: Sequence[bool] = (),
) -> np.ndarray:
    """Arrange tiles in rows on white, each with its name above.

    Args:
        tiles: (h, w, 3) uint8, all of one size.
        names: one per tile, or () for no names.
        columns: None makes the grid about square.
        scale: integer magnification, nearest neighbour.
        marked: one per tile: whether to cross it out in red, such as an empty channel.
    Raises:
        ConfigError: no tiles, tiles of several sizes, or a number of names or marks other than the number of tiles.
    """
    _check(tiles, names, marked)
    columns = columns or int(np.ceil(np.sqrt(len(tiles))))
    height, width = (length * scale for length in tiles[0].shape[:2])
    font = ImageFont.load_default(size=11)
    header = 14 if names else 0
    step_y, step_x = height + header + 4, max(width, *(int(font.getlength(name)) for name in names), 0) + 4
    canvas = Image.new("RGB", (columns * step_x + 4, -(-len(tiles) // columns) * step_y + 4), (_BACKGROUND,) * 3)
    draw = ImageDraw.Draw(canvas)
    for index, image in enumerate(tiles):
        top, left = index // columns * step_y + 4, index % columns * step_x + 4
        if names:
            draw.text((left, top), names[index], fill=_INK, font=font)
        large = Image.fromarray(image.repeat(scale, 0).repeat(scale, 1))
        canvas.paste(large, (left, top + header))
        if marked and marked[index]:
            box = (left, top + header, left + width - 1, top + header + height - 1)
            draw.rectangle(box, outline=_MARK)
            draw.line(box, fill=_MARK)
    return np.asarray(canvas)


def thumbnails(
    points: np.ndarray, tiles: Sequence[np.ndarray], side: int = 1000, colors: np.ndarray | None = None
) -> np.ndarray:
    """Draw a square scatter plot with a tile at each point.

    Args:
        points: (N, 2), any units; scaled to the plot with one scale for both axes.
        tiles: N images (h, w, 3) uint8.
        side: of the plot in pixels.
        colors: (N, 3) uint8 colours of the frames, such as one per class.
    """
    canvas = Image.new("RGB", (side, side), (_BACKGROUND,) * 3)
    draw = ImageDraw.Draw(canvas)
    largest = max(max(image.shape[:2]) for image in tiles)
    low, spread = points.min(0), float(np.ptp(points, axis=0).max()) or 1.0
    positions = ((points - low) / spread * (side - largest - 4)).astype(int) + 2
    for index, ((x, y), image) in enumerate(zip(positions.tolist(), tiles, strict=True)):
        canvas.paste(Image.fromarray(image), (x, y))
        if colors is not None:
            height, width = image.shape[:2]
            frame = tuple(int(level) for level in colors[index])
            draw.rectangle((x - 2, y - 2, x + width + 1, y + height + 1), outline=frame, width=2)
    return np.asarray(canvas)


def _colored(fraction: np.ndarray, palette: np.ndarray) -> np.ndarray:
    position = np.clip(fraction, 0, 1) * (len(palette) - 1)
    channels = [np.interp(position, np.arange(len(palette)), palette[:, channel]) for channel in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def _check(tiles: Sequence[np.ndarray], names: Sequence[str], marked: Sequence[bool]) -> None:
    if not len(tiles):
        raise ConfigError("grid: no tiles; pass at least one")
    sizes = sorted({image.shape[:2] for image in tiles})
    if len(sizes) > 1:
        raise ConfigError(f"grid: tiles of several sizes, such as {sizes[0]} and {sizes[1]}; resize them to one size")
    for name, values in (("names", names), ("marks", marked)):
        if values and len(values) != len(tiles):
            raise ConfigError(f"grid: {len(values)} {name} for {len(tiles)} tiles; pass one per tile, or none")

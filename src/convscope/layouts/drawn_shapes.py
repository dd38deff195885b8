"""Synthetic images of simple shapes, each with a class, labels, a mask and boxes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NAMES = ("disc", "ring", "square", "star", "triangle")
_MARGIN = 1.0  # pixels between shapes, and between a shape and the border


@dataclass(frozen=True, eq=False)
class Shapes:
    """N drawn images; the first shape of an image is the main one."""

    images: NDArray[np.uint8]
    """(N, H, W, 3)"""
    classes: NDArray[np.int64]
    """(N,) the main, largest shape's index into `NAMES`"""
    labels: NDArray[np.bool_]
    """(N, 5) which kinds of shape are present"""
    masks: NDArray[np.uint8]
    """(N, H, W) 0 for background, else 1 + index of the kind"""
    boxes: tuple[NDArray[np.float32], ...]
    """N arrays (shapes, 4), xyxy in pixels"""
    box_classes: tuple[NDArray[np.int64], ...]
    """N arrays (shapes,)"""
    counts: NDArray[np.int64]
    """(N,) how many shapes"""


def draw_shapes(count: int = 1200, seed: int = 0, size: int = 32) -> Shapes:
    """Draw `count` images of `size` x `size`; image i depends on (seed, i) only, with the class i modulo 5."""
    images = np.empty((count, size, size, 3), np.uint8)
    masks = np.zeros((count, size, size), np.uint8)
    kinds, boxes = [], []
    for i in range(count):
        random = np.random.default_rng([seed, i])
        image = _background(random, size)
        shapes = _positions(random, i % len(NAMES), size)
        found = []
        for kind, position in shapes:
            distance = _SIGNED_DISTANCES[kind](*_rotated(random, size, position), position[2])
            found.append(_draw_shape(image, masks[i], kind, distance, random))
        images[i] = np.rint(np.clip(image + random.normal(0, 6, image.shape), 0, 255))
        kinds.append(np.array([kind for kind, _ in shapes], np.int64))
        boxes.append(np.array(found, np.float32))
    labels = np.array([[k in present for k in range(len(NAMES))] for present in kinds], bool).reshape(count, len(NAMES))
    return Shapes(
        images=images,
        classes=np.array([present[0] for present in kinds], np.int64),
        labels=labels,
        masks=masks,
        boxes=tuple(boxes),
        box_classes=tuple(kinds),
        counts=np.array([len(present) for present in kinds], np.int64),
    )


def _background(random: np.random.Generator, size: int) -> Floats:
    """A coloured background with noise at several scales, (H, W, 3) in 0 .. 255."""
    background = np.broadcast_to(random.uniform(60, 195, 3), (size, size, 3)).copy()
    for cells in (4, 9, 17):
        background += 14 * _upsample(random.normal(0, 1, (cells, cells, 3)), size)
    return background


def _upsample(grid: Floats, size: int) -> Floats:
    """A (n, n, 3) grid, enlarged to (size, size, 3) linearly."""
    at = np.linspace(0, len(grid) - 1, size)
    low = np.minimum(at.astype(int), len(grid) - 2)
    part = (at - low)[:, None, None]
    rows = grid[low] * (1 - part) + grid[low + 1] * part
    part = part.reshape(1, size, 1)
    enlarged: Floats = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return enlarged


def _positions(random: np.random.Generator, kind: int, size: int) -> list[tuple[int, tuple[float, float, float]]]:
    """(kind, (x, y, radius)) of the main shape and of none, one or two smaller ones that do not touch it."""
    radius = random.uniform(0.22, 0.32) * size
    shapes = [(kind, (*random.uniform(radius + _MARGIN, size - radius - _MARGIN, 2), radius))]
    for _ in range(random.integers(0, 3)):
        small = random.uniform(0.13, 0.18) * size
        for _ in range(20):
            x, y = random.uniform(small + _MARGIN, size - small - _MARGIN, 2)
            if all(np.hypot(x - a, y - b) > small + r + _MARGIN for _, (a, b, r) in shapes):
                shapes.append((int(random.integers(len(NAMES))), (x, y, small)))
                break
    return shapes


def _rotated(random: np.random.Generator, size: int, position: tuple[float, float, float]) -> tuple[Floats, Floats]:
    """Coordinates of pixel centres in the frame of a shape at `position`, rotated by a random angle."""
    x, y = np.meshgrid(np.arange(size) + 0.5 - position[0], np.arange(size) + 0.5 - position[1])
    angle = random.uniform(0, 2 * np.pi)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _draw_shape(
    image: Floats, mask: NDArray[np.uint8], kind: int, distance: Floats, random: np.random.Generator
) -> tuple[float, float, float, float]:
    """Draw a shape on the image and into the mask; return its box, xyxy."""
    background = image.mean((0, 1))
    colour = random.uniform(0, 255, 3)
    while np.abs(colour - background).max() < 70:
        colour = random.uniform(0, 255, 3)
    cover = np.clip(0.5 - distance, 0, 1)[..., None]  # antialiasing: the covered share of a pixel
    image *= 1 - cover
    image += cover * (colour + random.normal(0, 8, image.shape))
    inside = distance < 0
    mask[inside] = kind + 1
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _disc(x: Floats, y: Floats, radius: float) -> Floats:
    return np.hypot(x, y) - radius


def _ring(x: Floats, y: Floats, radius: float) -> Floats:
    return np.abs(np.hypot(x, y) - 0.75 * radius) - 0.25 * radius


def _square(x: Floats, y: Floats, radius: float) -> Floats:
    distance: Floats = np.maximum(np.abs(x), np.abs(y)) - radius / np.sqrt(2)
    return distance


def _triangle(x: Floats, y: Floats, radius: float) -> Floats:
    """Equilateral: inside three half-planes, each radius / 2 from the centre."""
    angles = 2 * np.pi / 3 * np.arange(3)
    distance: Floats = np.max([x * np.cos(a) + y * np.sin(a) for a in angles], axis=0) - radius / 2
    return distance


def _star(x: Floats, y: Floats, radius: float) -> Floats:
    """Five points: by symmetry one half-plane through a tip and a notch, in a folded tenth of the circle."""
    fold = np.pi / 5
    angle = np.abs((np.arctan2(y, x) + fold) % (2 * fold) - fold)  # 0 at a tip, fold at a notch
    length = np.hypot(x, y)
    notch = 0.45 * radius
    edge = np.array([notch * np.cos(fold) - radius, notch * np.sin(fold)])
    normal = np.array([edge[1], -edge[0]]) / np.hypot(*edge)
    distance: Floats = normal[0] * (length * np.cos(angle) - radius) + normal[1] * length * np.sin(angle)
    return distance


_SIGNED_DISTANCES: tuple[Callable[[Floats, Floats, float], Floats], ...] = (_disc, _ring, _square, _star, _triangle)

"""Descriptors of images without a network: small pixels and the orientations of edges."""

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.view import DataView

CHUNK = 512
SIDE = 8  # cells per side
ORIENTATIONS = 8


def descriptors(view: DataView, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return (M, F) the mean colours of 8 x 8 cells and the histograms of edge orientations in 4 x 4 cells.

    Histograms of oriented gradients, Dalal and Triggs 2005, without overlapping blocks.
    """
    parts = [_describe(view.pixels(rows[i : i + CHUNK])) for i in range(0, len(rows), CHUNK)]
    return np.concatenate(parts)


def _describe(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    x = pixels.astype(np.float32) / 255
    grey = x.mean(1)
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    turn = ((np.arctan2(down, right) % np.pi) / np.pi * ORIENTATIONS).astype(int) % ORIENTATIONS
    histograms = np.stack([_cells(strength * (turn == k), SIDE // 2) for k in range(ORIENTATIONS)], axis=1)
    flat = histograms.reshape(len(x), -1)
    flat = np.sqrt(flat / (flat.sum(1, keepdims=True) + 1e-6))
    small = np.stack([_cells(x[:, c], SIDE) for c in range(min(x.shape[1], 4))], axis=1).reshape(len(x), -1)
    return np.concatenate([small, flat], axis=1).astype(np.float32)


def _cells(x: NDArray[np.floating], side: int) -> NDArray[np.float32]:
    """Return (B, s, s) the means of equal cells of (B, H, W); s is less for smaller images."""
    height, width = (min(side, length) for length in x.shape[1:])
    rows = np.linspace(0, x.shape[1], height + 1).astype(int)[:-1]
    columns = np.linspace(0, x.shape[2], width + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(x, rows, axis=1), columns, axis=2)
    sizes = np.diff(np.append(rows, x.shape[1]))[:, None] * np.diff(np.append(columns, x.shape[2]))[None]
    return np.asarray(sums / sizes, np.float32)

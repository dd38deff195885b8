"""Small files of arrays as they are published."""

import gzip
import struct
from pathlib import Path

import numpy as np


def pixels(count: int = 12, size: tuple[int, int] = (6, 8), seed: int = 0) -> np.ndarray:
    """(N, H, W) random bytes."""
    return np.random.default_rng(seed).integers(0, 256, (count, *size), dtype=np.uint8)


def idx_bytes(values: np.ndarray) -> bytes:
    """An idx file of bytes."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def write_idx(path: Path, values: np.ndarray) -> None:
    """An idx file, compressed if its name ends with .gz."""
    content = idx_bytes(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)

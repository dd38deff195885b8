"""Values of more than 8 bits (deep integers, floats) as bytes, from black to white."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL_WHITE = 65535.0
"""The default value that becomes 255: the full range of 16 bits."""


def to_bytes(values: NDArray[Any], black: tuple[float, ...], white: tuple[float, ...]) -> NDArray[np.uint8]:
    """Scale (H, W, C) values so that `black` becomes 0 and `white` 255; values outside are clipped, NaN becomes 0.

    Bytes are unchanged, and True becomes 255.

    Args:
        values: of any real type.
        black: one for all channels, or one per channel.
        white: likewise, greater than black.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    low, high = (_per_channel(ends, values.shape[-1]) for ends in (black, white))
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (values.astype(np.float64) - low) * (255 / (high - low))
        return np.rint(np.clip(np.nan_to_num(scaled), 0, 255)).astype(np.uint8)


def _per_channel(ends: tuple[float, ...], channels: int) -> NDArray[np.float64]:
    """One value per channel; of ends for another number of channels the outermost are not guessed: the first."""
    return np.array(ends if len(ends) == channels else ends[:1], np.float64)

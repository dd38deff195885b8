"""Compress feature maps for storage and transfer: downsampling, and 8-bit quantisation with a range per map."""

import numpy as np
import torch.nn.functional as F
from torch import Tensor


def downsample(maps: Tensor, side: int) -> Tensor:
    """Average-pool maps (B, C, h, w) so that the longer side is at most `side`; smaller maps are returned unchanged."""
    scale = side / max(maps.shape[2:])
    if scale >= 1:
        return maps
    size = max(1, round(maps.shape[2] * scale)), max(1, round(maps.shape[3] * scale))
    return F.adaptive_avg_pool2d(maps, size)


def quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quantise maps (..., h, w) to low (...), high (...) and uint8 levels: value = low + level / 255 * (high - low).

    >>> low, high, levels = quantised(np.array([[[0.0, 1.0], [2.0, 4.0]]]))
    >>> low.tolist(), high.tolist(), levels.tolist()
    ([0.0], [4.0], [[[0, 64], [128, 255]]])
    """
    low, high = values.min((-2, -1)), values.max((-2, -1))
    spread = np.where(high > low, high - low, 1)[..., None, None]
    return low, high, ((values - low[..., None, None]) / spread * 255).round().astype(np.uint8)

"""The result type shared by all attribution methods."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Attribution:
    """Contribution of each position of each image to the score of its target class.

    Attributes:
        method: the function's name.
        layer: the layer whose positions are scored; "" for the pixels of the image.
        targets: (B,) target class of each image.
        scores: (B,) logits of the target classes.
        values: (B, C, h, w) float32 in logit units as the method defines them; C = 1 where it has no channels.
        maps: (B, h, w) float32, the values reduced over channels.
    """

    method: str
    layer: str
    targets: np.ndarray
    scores: np.ndarray
    values: np.ndarray
    maps: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return per image the target class, its score, and the map's range and peak."""
        height, width = self.maps.shape[1:]
        flat = self.maps.reshape(len(self.maps), -1)
        peaks = [[int(value) for value in np.unravel_index(index, (height, width))] for index in flat.argmax(1)]
        return {
            "method": self.method,
            "layer": self.layer,
            "size": [height, width],
            "targets": self.targets.tolist(),
            "scores": self.scores.tolist(),
            "smallest": flat.min(1).tolist(),
            "largest": flat.max(1).tolist(),
            "peak_row_column": peaks,
        }

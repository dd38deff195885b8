"""What every "where does it look" method gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Attribution:
    """How much each place of each image speaks for its target class.

    Attributes:
        method: the function's name.
        layer: whose places they are; "" for the image's own pixels.
        targets: (B,) class index followed in each image.
        scores: (B,) its logit.
        values: (B, C, h, w) float32 in logit units as the method defines them; C = 1 where it has no channels.
        maps: (B, h, w) float32, the values brought together over channels for a picture.
    """

    method: str
    layer: str
    targets: np.ndarray
    scores: np.ndarray
    values: np.ndarray
    maps: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the numbers beside a picture: per image the class, its score, the map's range and its peak."""
        height, width = self.maps.shape[1:]
        flat = self.maps.reshape(len(self.maps), -1)
        peaks = [[int(value) for value in np.unravel_index(place, (height, width))] for place in flat.argmax(1)]
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

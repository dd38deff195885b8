"""The box around a polygon, an ellipse or a rotated rectangle."""

import math
from collections.abc import Sequence

from convscope.datasets.targets.annotated_size import Box

_NOTHING: Box = (math.nan, math.nan, math.nan, math.nan)


def box_of_points(xs: Sequence[float], ys: Sequence[float]) -> Box:
    """The box around points; nan if there are none, or if a coordinate is nan."""
    if not xs or not ys or any(map(math.isnan, (*xs, *ys))):
        return _NOTHING
    return min(xs), min(ys), max(xs), max(ys)


def box_of_flat(values: Sequence[float]) -> Box:
    """The box around points given as x, y, x, y ..."""
    return box_of_points(values[0::2], values[1::2])


def box_of_ellipse(center: tuple[float, float], radii: tuple[float, float], angle: float = 0.0) -> Box:
    """The box around an ellipse whose first radius is turned by `angle`, in radians.

    >>> box_of_ellipse((10, 10), (4, 2))
    (6.0, 8.0, 14.0, 12.0)
    """
    cos, sin = math.cos(angle), math.sin(angle)
    across, down = math.hypot(radii[0] * cos, radii[1] * sin), math.hypot(radii[0] * sin, radii[1] * cos)
    return center[0] - across, center[1] - down, center[0] + across, center[1] + down


def box_of_rotated(corner: tuple[float, float], size: tuple[float, float], angle: float) -> Box:
    """The box around a rectangle that is rotated clockwise around its top left corner by `angle`, in radians.

    >>> box_of_rotated((10, 10), (4, 2), math.pi / 2)
    (8.0, 10.0, 10.0, 14.0)
    """
    cos, sin = math.cos(angle), math.sin(angle)
    points = [(x * cos - y * sin, x * sin + y * cos) for x in (0.0, size[0]) for y in (0.0, size[1])]
    return box_of_points([corner[0] + x for x, _ in points], [corner[1] + y for _, y in points])

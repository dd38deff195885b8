"""Boxes as drawn in an annotation tool -> boxes in pixels of the upright file, by the size in the annotation.

A photograph may be stored turned, with its EXIF orientation. Some tools draw on the upright picture, others on the
stored pixels. The size in the annotation shows which, and whether the file was resized since.
"""

from dataclasses import dataclass

from convscope.datasets.inputs.headers import Header

Box = tuple[float, float, float, float]
Extent = tuple[float, float]
"""Width and height."""


@dataclass(frozen=True)
class Drawing:
    """What the boxes of one image were drawn on."""

    size: Extent
    """Width and height of the picture that was annotated."""
    stored: bool
    """Whether it is the picture as stored, before its EXIF orientation is applied."""
    certain: bool
    """False if the EXIF orientation turns the picture and the size does not show whether it was applied."""
    scaled: bool
    """Whether the file has another size, of the same proportions."""


def drawing_of(file: Header, declared: Extent | None) -> Drawing | str:
    """What the boxes were drawn on, or why they cannot belong to the file.

    Args:
        file: the header of the image.
        declared: width and height in the annotation; None if it gives none.
    """
    upright = (float(file.width), float(file.height))
    stored = upright[::-1] if file.orientation >= 5 else upright
    if declared is None:
        return Drawing(upright, False, file.orientation == 1, False)
    for matches, scaled in ((_equal, False), (_proportional, True)):
        as_upright, as_stored = matches(declared, upright), matches(declared, stored) and file.orientation != 1
        if as_upright or as_stored:
            return Drawing(declared, not as_upright, not (as_upright and as_stored), scaled)
    return (
        f"its boxes were drawn on an image of {declared[1]:g} x {declared[0]:g} and the file is "
        f"{file.height} x {file.width} (height x width)"
    )


def to_upright(box: Box, drawing: Drawing, file: Header) -> Box:
    """A box in pixels of the annotated picture, xyxy -> in pixels of the upright file.

    >>> photo = Header(60, 40, "RGB", False, False, orientation=6)
    >>> to_upright((5, 20, 35, 38), Drawing((60, 40), True, True, False), photo)
    (2.0, 5.0, 20.0, 35.0)
    """
    turned = drawing.stored and file.orientation >= 5
    width, height = (file.height, file.width) if turned else (file.width, file.height)
    across, down = width / drawing.size[0], height / drawing.size[1]
    x1, y1, x2, y2 = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    if not drawing.stored:
        return x1, y1, x2, y2
    return _turned((x1, y1, x2, y2), file.orientation, (width, height))


def _turned(box: Box, orientation: int, size: Extent) -> Box:
    """A box of the picture as stored, of this width and height, after the EXIF orientation is applied."""
    x1, y1, x2, y2 = box
    left, right, top, bottom = x1, x2, y1, y2
    if orientation in (2, 3, 7, 8):  # the first of these steps mirrors left and right, the second top and bottom
        left, right = size[0] - x2, size[0] - x1
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - y2, size[1] - y1
    return (top, left, bottom, right) if orientation >= 5 else (left, top, right, bottom)


def _equal(a: Extent, b: Extent) -> bool:
    return a == b


def _proportional(declared: Extent, actual: Extent) -> bool:
    """Whether one scale, with sides rounded to whole pixels, gives the actual size."""
    low = max((side - 1) / size for side, size in zip(actual, declared, strict=True))
    high = min((side + 1) / size for side, size in zip(actual, declared, strict=True))
    return low <= high

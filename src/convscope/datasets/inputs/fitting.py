"""Fit an image of any shape to the network's input, and say which part of the file the input shows."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.jpeg import shrink

Fit = Literal["crop", "pad", "stretch"]
"""How an image of another aspect ratio becomes the input: `crop` cuts off both ends of the longer side, `pad` keeps all
and fills the rest with the image's mean colour, `stretch` keeps all and changes the aspect ratio."""

CROP: Fit = "crop"
PAD: Fit = "pad"
STRETCH: Fit = "stretch"


def fit(pixels: NDArray[np.uint8], whole: tuple[int, int], size: tuple[int, int], how: Fit = CROP) -> NDArray[np.uint8]:
    """Resize an image (H, W, C) to `size` (H, W), cropped, padded or stretched.

    Bicubic with antialiasing, equal to Pillow except for rounding; an image of this size is returned unchanged.
    Training and prediction both use this function.

    Args:
        pixels: the whole image, at full size or reduced by `reduction` while decoding.
        whole: (H, W) of the file.
        size: (H, W) of the result.
        how: see `Fit`.
    """
    if pixels.shape[:2] == size:
        return pixels
    if how == PAD:
        return _padded(pixels, whole, size)
    by = 1 if pixels.shape[:2] == whole else reduction(whole, size, how)
    left, top, right, bottom = (int(side) for side in visible_window(whole, size, how))
    return _resized(pixels, (left, top, right, bottom), by, size)


def visible_window(whole: tuple[int, int], size: tuple[int, int], how: Fit = CROP) -> tuple[float, float, float, float]:
    """The part (left, top, right, bottom), in pixels, of an image of `whole` (H, W) that fills `size` (H, W).

    A crop starts at a multiple of the decoder's reduction factor, so that images, masks and boxes are cropped equally
    however they are decoded. With `pad` the part extends over the edges of the image.

    >>> visible_window((100, 300), (10, 20))
    (48, 0, 248, 100)
    >>> visible_window((100, 300), (10, 20), "stretch")
    (0, 0, 300, 100)
    >>> visible_window((100, 200), (20, 20), "pad")
    (0.0, -50.0, 200.0, 150.0)
    """
    if how == STRETCH:
        return 0, 0, whole[1], whole[0]
    if how == PAD:
        (height, width), (top, left) = padded_content(whole, size)
        down, across = whole[0] / height, whole[1] / width  # file pixels per input pixel
        return -left * across, -top * down, (size[1] - left) * across, (size[0] - top) * down
    by, scale = shrink(whole, size), max(size[0] / whole[0], size[1] / whole[1])
    (top, bottom), (left, right) = (_middle(length, side / scale, by) for length, side in zip(whole, size, strict=True))
    return left, top, right, bottom


def padded_content(whole: tuple[int, int], size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """(H, W) of a padded image inside `size`, and its (top, left).

    >>> padded_content((100, 200), (20, 20))
    ((10, 20), (5, 0))
    """
    scale = min(size[0] / whole[0], size[1] / whole[1])
    height, width = (max(1, min(side, round(scale * length))) for length, side in zip(whole, size, strict=True))
    return (height, width), ((size[0] - height) // 2, (size[1] - width) // 2)


def reduction(whole: tuple[int, int], size: tuple[int, int], how: Fit = CROP) -> int:
    """By how much a decoder may reduce an image of `whole` (H, W) so that it still covers what `size` needs."""
    return shrink(whole, padded_content(whole, size)[0] if how == PAD else size)


def covering(whole: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The smallest (H, W) with the aspect ratio of `whole` that covers `size`."""
    scale = max(size[0] / whole[0], size[1] / whole[1])
    return max(1, round(scale * whole[0])), max(1, round(scale * whole[1]))


def visible_share(whole: tuple[int, int], size: tuple[int, int], how: Fit = CROP) -> float:
    """The share of an image's pixels that `fit` shows."""
    left, top, right, bottom = visible_window(whole, size, how)
    return min(1.0, (right - left) * (bottom - top) / (whole[0] * whole[1]))


def _padded(pixels: NDArray[np.uint8], whole: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The whole image in the middle of a plain area of its mean colour, which normalises to about 0."""
    (height, width), (top, left) = padded_content(whole, size)
    content = pixels
    if pixels.shape[:2] != (height, width):
        by = 1 if pixels.shape[:2] == whole else reduction(whole, size, PAD)
        content = _resized(pixels, (0, 0, whole[1], whole[0]), by, (height, width))
    found = np.empty((*size, pixels.shape[2]), np.uint8)
    found[:] = np.rint(content.mean((0, 1))).astype(np.uint8)
    found[top : top + height, left : left + width] = content
    return found


def _resized(
    pixels: NDArray[np.uint8], window: tuple[int, int, int, int], by: int, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """A window, in pixels of the file, of an image that is reduced by `by`, at `size`."""
    import torch  # only here: exported files fit images by themselves, without PyTorch

    left, top, right, bottom = window
    part = pixels[top // by : math.ceil(bottom / by), left // by : math.ceil(right / by)]
    x = torch.from_numpy(part.copy()).permute(2, 0, 1)[None]
    # functional.interpolate with a size would use all of part, which may end with a fraction of a pixel too much
    scales = (by * size[0] / (bottom - top), by * size[1] / (right - left))
    resized = torch.ops.aten._upsample_bicubic2d_aa(x, size, False, *scales)
    found: NDArray[np.uint8] = resized[0].permute(1, 2, 0).numpy()
    return found


def _middle(length: int, part: float, by: int) -> tuple[int, int]:
    """Start, a multiple of `by`, and end of the central part of a side."""
    kept = min(length, max(1, round(part)))
    start = (length - kept) // 2 // by * by
    return start, start + kept

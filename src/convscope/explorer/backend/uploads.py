"""Uploaded images as network inputs: checked for size before they are decoded."""

import hashlib
import io
import struct

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from convscope.analysis.target import AnalysisTarget, ImageSet
from convscope.datasets import decode
from convscope.datasets.inputs.opening import open_image, quiet_pillow
from convscope.errors import DataError
from convscope.web.uploads import check, unsupported

INK_DIFFERENCE = 32  # grey levels between background and ink


def decode_upload(content: bytes, subject: AnalysisTarget) -> np.ndarray:
    """Decode an image to (C, H, W) uint8, resized and cropped as in training.

    Raises:
        TooLargeError: too many bytes, pixels or frames.
        UnsupportedImageError: not a decodable image.
    """
    check(content, one_frame=len(subject.mean) in (1, 3))
    try:
        with quiet_pillow():
            return decode(content, subject.decoding).pixels
    except DataError as error:
        raise unsupported(error) from None


def own_id(pixels: np.ndarray) -> str:
    """Return an image's id, a hash of its pixels."""
    digest = hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=12)
    digest.update(struct.pack("<3I", *pixels.shape))
    return f"own-{digest.hexdigest()}"


def single_image_set(pixels: np.ndarray, name: str, truth: int) -> ImageSet:
    """Return an image set of one image."""
    return ImageSet((name,), np.array([truth], np.int64), pixels[None], np.zeros(1, np.int64))


def centred(content: bytes, images: ImageSet) -> bytes:
    """Shift and scale a drawing so that its ink fills the typical box of the training images.

    Args:
        content: an image of ink on an even background.
        images: the training images.
    """
    check(content)
    try:
        with quiet_pillow(), open_image(io.BytesIO(content)) as image:
            grey = np.asarray(image.convert("RGB").convert("L"))
    except DataError as error:
        raise unsupported(error) from None
    box = ink_box(grey)
    if box is None:
        return content
    target = typical_box(images)
    top, left, bottom, right = box
    scale = float(np.min((target[2:] - target[:2]) * grey.shape / np.maximum((bottom - top, right - left), 1)))
    middle = (target[:2] + target[2:]) / 2 * grey.shape
    background = int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    inverse = (
        1 / scale,
        0.0,
        (left + right) / 2 - middle[1] / scale,
        0.0,
        1 / scale,
        (top + bottom) / 2 - middle[0] / scale,
    )
    moved = Image.fromarray(grey).transform(
        (grey.shape[1], grey.shape[0]), Image.Transform.AFFINE, inverse, Image.Resampling.BICUBIC, fillcolor=background
    )
    out = io.BytesIO()
    moved.save(out, "PNG")
    return out.getvalue()


def ink_box(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """Return top, left, bottom and right of the ink; None for an empty image."""
    background = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    rows, columns = np.nonzero(np.abs(grey.astype(float) - background) > INK_DIFFERENCE)
    if not len(rows):
        return None
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


def typical_box(images: ImageSet, most: int = 256) -> np.ndarray:
    """Return top, left, bottom and right of the ink as fractions of the side: the median of up to `most` images."""
    chosen = np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int))
    pixels = (255 * images.select(chosen).pixels().mean(1)).numpy()
    boxes = [box for box in map(ink_box, pixels) if box is not None]
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    return whole if not boxes else np.median(boxes, axis=0) / np.tile(pixels.shape[1:], 2)


def input_of(images: ImageSet, subject: AnalysisTarget) -> Tensor:
    """Return the normalised input (1, C, H, W) on the network's device."""
    with torch.no_grad():
        return subject.input(images)

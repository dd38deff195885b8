"""Bytes from outside as the network's picture: bounded before anything is decoded."""

import hashlib
import io
import struct

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from convscope.analysis.target import AnalysisTarget, ImageSet
from convscope.datasets import read_image
from convscope.datasets.inputs.image import open_image, quiet_pillow
from convscope.errors import DataError
from convscope.explorer.backend.errors import NotAvailableError, TooLargeError, UnsupportedImageError

MOST_BYTES = 16 * 2**20
MOST_PIXELS = 40_000_000
KINDS = frozenset({
    "PNG", "JPEG", "MPO", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "JPEG2000",
})  # fmt: skip
"""Kinds of files that are decoded. Others have decoders too, one of which (EPS) would start another program."""
INK_DIFFERENCE = 32  # grey levels from the ground at which a drawing's ink begins


def decode_upload(content: bytes, subject: AnalysisTarget) -> np.ndarray:
    """(C, H, W) uint8 as the network takes it, fitted as training does.

    Raises:
        NotYetError: the network takes other than 1 or 3 channels.
        TooLargeError: more bytes, pixels or frames than are taken.
        NoImageError: no picture.
    """
    channels = len(subject.mean)
    if channels not in (1, 3):
        raise NotAvailableError(
            f"upload: the network takes {channels} channels, and files have 1 or 3; choose from the set"
        )
    check(content)
    try:
        return read_image(io.BytesIO(content), channels, subject.size, subject.white)
    except DataError as error:
        raise UnsupportedImageError(str(error).replace("image: ", "upload: ", 1)) from None


def check(content: bytes) -> None:
    """Refuse what is too large, from the header alone."""
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"upload: {len(content):,} bytes; at most {MOST_BYTES:,} are taken")
    try:
        with quiet_pillow(), open_image(io.BytesIO(content)) as image:
            width, height = image.size
            if image.format not in KINDS:
                raise UnsupportedImageError(f"upload: {image.format} is not taken; convert it to PNG or JPEG")
            if width * height > MOST_PIXELS:
                raise TooLargeError(f"upload: {width} x {height} pixels; at most {MOST_PIXELS:,} are taken")
            if getattr(image, "is_animated", False) and image.format != "MPO":  # a phone's photo and its preview
                raise TooLargeError("upload: more than one frame; give a still picture")
    except (TooLargeError, UnsupportedImageError):
        raise
    except DataError as error:
        raise UnsupportedImageError(str(error).replace("image: ", "upload: ", 1)) from None


def own_id(pixels: np.ndarray) -> str:
    """A picture's id, from its pixels alone."""
    digest = hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=12)
    digest.update(struct.pack("<3I", *pixels.shape))
    return f"own-{digest.hexdigest()}"


def single_image_set(pixels: np.ndarray, name: str, truth: int) -> ImageSet:
    """One picture as a set of one."""
    return ImageSet((name,), np.array([truth], np.int64), pixels[None], np.zeros(1, np.int64))


def centred(content: bytes, images: ImageSet) -> bytes:
    """A drawing, moved and scaled so that its ink lies where that of the training images does, on average.

    Args:
        content: any picture of ink on an even ground.
        images: the training images.
    """
    check(content)
    try:
        with quiet_pillow(), open_image(io.BytesIO(content)) as image:
            grey = np.asarray(image.convert("RGB").convert("L"))
    except DataError as error:
        raise UnsupportedImageError(str(error).replace("image: ", "upload: ", 1)) from None
    box = ink_box(grey)
    if box is None:
        return content
    wanted = typical_box(images)
    top, left, bottom, right = box
    scale = float(np.min((wanted[2:] - wanted[:2]) * grey.shape / np.maximum((bottom - top, right - left), 1)))
    middle = (wanted[:2] + wanted[2:]) / 2 * grey.shape
    ground = int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    back = (
        1 / scale,
        0.0,
        (left + right) / 2 - middle[1] / scale,
        0.0,
        1 / scale,
        (top + bottom) / 2 - middle[0] / scale,
    )
    moved = Image.fromarray(grey).transform(
        (grey.shape[1], grey.shape[0]), Image.Transform.AFFINE, back, Image.Resampling.BICUBIC, fillcolor=ground
    )
    out = io.BytesIO()
    moved.save(out, "PNG")
    return out.getvalue()


def ink_box(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of what differs from the ground; None of an empty picture."""
    ground = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    rows, columns = np.nonzero(np.abs(grey.astype(float) - ground) > INK_DIFFERENCE)
    if not len(rows):
        return None
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


def typical_box(images: ImageSet, most: int = 256) -> np.ndarray:
    """Top, left, bottom and right of images' ink as shares of the side: the median of up to `most`."""
    few = np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int))
    pixels = (255 * images.select(few).pixels().mean(1)).numpy()
    boxes = [box for box in map(ink_box, pixels) if box is not None]
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    return whole if not boxes else np.median(boxes, axis=0) / np.tile(pixels.shape[1:], 2)


def input_of(images: ImageSet, subject: AnalysisTarget) -> Tensor:
    """(1, C, H, W) as the network takes it, where it lives."""
    with torch.no_grad():
        return subject.input(images)

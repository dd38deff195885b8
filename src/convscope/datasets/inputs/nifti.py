"""NIfTI files: shape, spacing and orientation from the header, and voxels."""

import gzip
import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.volume_geometry import Placement, placement
from convscope.errors import DataError
from convscope.extras import extra

ENDINGS = (".nii", ".nii.gz")
START = (b"n+1\0", b"n+2\0")
"""The magic word of both versions, at byte 344 and 4."""
_GZIP = b"\x1f\x8b"
_MILLIMETRES = {"meter": 1000.0, "micron": 0.001}  # per unit of the header, where it is not millimetres
_MOST_AXES = 4


def is_nifti(content: bytes) -> bool:
    """Whether the first bytes of a file, perhaps compressed, are those of a NIfTI file."""
    return content[:2] == _GZIP or content[344:348] == START[0] or content[4:8] == START[1]


def open_nifti(source: Path | bytes) -> Any:
    """The image of a file or of its bytes; voxels are not read.

    Raises:
        Exception: nibabel's errors for damaged files.
        MissingExtraError: nibabel is not installed.
    """
    with extra("volume", "NIfTI files"):
        import nibabel
    logging.getLogger("nibabel").setLevel(logging.CRITICAL)  # damaged headers are reported in our own words
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    if isinstance(source, Path):
        return nibabel.load(source)
    content = gzip.decompress(source) if source[:2] == _GZIP else source
    make = nibabel.Nifti2Image if content[4:8] == START[1] else nibabel.Nifti1Image
    return make.from_bytes(content)


def nifti_shape(image: Any) -> tuple[int, int, int, int]:
    """(C, D, H, W) of an image as stored: the last of its axes are first, a fourth axis is the channels.

    Raises:
        DataError: it is no volume of numbers; the message has no place.
    """
    shape = [int(side) for side in image.shape]
    while len(shape) > _MOST_AXES - 1 and shape[-1] == 1:
        shape.pop()
    dtype = image.get_data_dtype()
    if dtype.kind not in "uif":
        raise DataError(f"holds values of type {dtype}, not real numbers; convert it")
    if len(shape) not in (3, _MOST_AXES):
        raise DataError(f"has {len(shape)} axes ({' x '.join(map(str, shape))}), not three and channels; split it")
    channels = shape[3] if len(shape) == _MOST_AXES else 1
    return channels, shape[2], shape[1], shape[0]


def nifti_placement(image: Any) -> Placement:
    """The placement of the (C, D, H, W) values as stored.

    Raises:
        DataError: its affine is singular; the message has no place.
    """
    unit = _MILLIMETRES.get(image.header.get_xyzt_units()[0], 1.0)
    return placement(np.asarray(image.affine, np.float64)[:3, [2, 1, 0]] * unit)


def nifti_values(image: Any) -> NDArray[np.float32]:
    """(C, D, H, W) upright, with the scale of the header applied."""
    values = np.asarray(image.get_fdata(dtype=np.float32, caching="unchanged"))
    stored = values.T.reshape(nifti_shape(image))
    return np.asarray(nifti_placement(image).upright(stored), np.float32)

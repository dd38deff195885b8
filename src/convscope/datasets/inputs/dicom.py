"""Voxels of DICOM series, in the units of their modality, such as Hounsfield units."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.dicom_series import Series, Slice, arranged, dicom_module
from convscope.datasets.inputs.volume_geometry import Placement, placement
from convscope.errors import DataError

START = b"DICM"
"""At byte 128."""


def is_dicom(content: bytes) -> bool:
    """Whether the first bytes of a file are those of a DICOM file."""
    return content[128:132] == START


def series_in_bytes(content: bytes) -> tuple[Series, Any]:
    """The series in the bytes of one file, which has several frames, and its dataset.

    Raises:
        DataError: it is one slice; the message has no place.
        Exception: pydicom's errors for damaged files.
    """
    dataset = dicom_module().dcmread(io.BytesIO(content))
    return arranged([Slice(Path(), str(dataset.get("SeriesInstanceUID")), dataset)]), dataset


def series_placement(series: Series) -> Placement | None:
    """The placement of the (1, D, H, W) values as stored; None if the files do not say it.

    Raises:
        DataError: its directions are singular; the message has no place.
    """
    return None if series.directions is None else placement(series.directions)


def series_values(series: Series, content: Any = None) -> NDArray[np.float32]:
    """(1, D, H, W) upright, with the rescaling of each file applied.

    Args:
        series: the slices in their order.
        content: the dataset of the only file, if it was read before.

    Raises:
        DataError: its compression is not supported; the message has no place.
        Exception: pydicom's errors for damaged files.
    """
    read = dicom_module().dcmread
    planes = [_rescaled(read(one.path) if content is None else content) for one in series.slices]
    stacked = np.concatenate([one.reshape(-1, *series.shape[1:]) for one in planes])[None]
    placed = series_placement(series)
    return stacked if placed is None else np.ascontiguousarray(placed.upright(stacked))


def _rescaled(dataset: Any) -> NDArray[np.float32]:
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        pixels = np.asarray(dataset.pixel_array)
    except (RuntimeError, NotImplementedError) as error:
        if syntax.is_compressed:
            raise DataError(
                f"compressed as {syntax.name}, which is not supported here; save it uncompressed"
            ) from error
        raise
    groups = dataset.get("SharedFunctionalGroupsSequence")
    values = groups[0].get("PixelValueTransformationSequence") if groups else None
    scale = values[0] if values else dataset
    slope, intercept = float(scale.get("RescaleSlope", 1)), float(scale.get("RescaleIntercept", 0))
    return np.asarray(pixels, np.float32) * np.float32(slope) + np.float32(intercept)

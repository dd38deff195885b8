"""Volume files: their headers and their voxels, upright where the file says how the patient lies."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs import dicom, dicom_series, nifti, volume_stacks
from convscope.datasets.inputs.opening import check_regular, error_text
from convscope.datasets.inputs.volume_geometry import Placement, Sides, Spacing
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError
from convscope.extras import MissingExtraError

VOLUME = "volume"
"""The kind of input of volumes."""
ENDINGS = frozenset((*nifti.ENDINGS, *dicom_series.ENDINGS, *volume_stacks.ENDINGS))
"""File extensions (lower case) of volumes; those of `volume_stacks` are images unless their content says otherwise."""
MOST_VALUES = 2**28
"""Values of a volume that is used; a small file can declare any number."""
_START = 352  # bytes that say which kind a file is


@dataclass(frozen=True)
class VolumeHeader:
    """The header of one volume, upright."""

    sides: Sides
    """Depth, height and width in voxels."""
    channels: int
    spacing: Spacing | None
    """Millimetres from voxel to voxel; None if the file does not say it."""
    mode: str
    """Format and type of the values."""


@dataclass(frozen=True, eq=False)
class Volume:
    """The voxels of one volume, upright."""

    values: NDArray[Any]
    """(C, D, H, W) finite numbers."""
    spacing: Spacing | None


def read_volume_headers(paths: Sequence[Path]) -> list[VolumeHeader | str]:
    """The header of each file, or why it cannot be used, in order. Damaged voxels are not detected.

    Raises:
        MissingExtraError: nibabel or pydicom is not installed.
    """
    with ThreadPoolExecutor(usable_cores(), "convscope-headers") as pool:
        return list(pool.map(_header_or_reason, paths))


def read_volume(source: Path | bytes) -> Volume:
    """The voxels of a file, of the series that a DICOM file is part of, or of the bytes of a file.

    Raises:
        DataError: it cannot be read, is no volume, or has voxels that are not finite.
        MissingExtraError: nibabel or pydicom is not installed.
    """
    name = _name(source)
    try:
        opened = _opened(source)
        _check_size(opened.header)
        values = opened.values()
    except (DataError, MissingExtraError) as error:
        raise _placed(error, name) from error
    except Exception as error:  # damaged voxels raise anything: OSError, EOFError, zlib.error, ValueError ...
        raise DataError(f"{name}: {_why(source, error)}") from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        share = 1 - float(np.isfinite(values).mean())
        raise DataError(f"{name}: contains nan or infinity, {max(share, 0.001):.1%} of its voxels; export it again")
    return Volume(values, opened.header.spacing)


@dataclass(frozen=True)
class _Opened:
    """A header, and a function that reads the voxels."""

    header: VolumeHeader
    values: Any


def _header_or_reason(path: Path) -> VolumeHeader | str:
    try:
        header = _opened(path).header
        _check_size(header)
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")
    except MissingExtraError:
        raise
    except Exception as error:  # damaged headers raise anything
        return _why(path, error)
    return header


def _opened(source: Path | bytes) -> _Opened:
    """By its content, whatever the file is called."""
    start = _start(source)
    if volume_stacks.is_npy(start):
        return _opened_array(source)
    if volume_stacks.is_stack(start):
        return _opened_stack(source)
    if dicom.is_dicom(start):
        return _opened_series(source)
    if nifti.is_nifti(start):
        return _opened_nifti(source)
    raise DataError("not a volume in a supported format, or damaged; convert it to NIfTI, or delete it")


def _opened_array(source: Path | bytes) -> _Opened:
    values = volume_stacks.array_values(source)
    channels, depth, height, width = values.shape
    header = VolumeHeader((depth, height, width), channels, None, f"array {values.dtype}")
    return _Opened(header, lambda: np.array(values))  # a copy in memory, which can be written


def _opened_stack(source: Path | bytes) -> _Opened:
    with volume_stacks.Stack(source, _name(source)) as stack:
        (channels, *sides), dtype, spacing = stack.shape, stack.dtype, stack.spacing
    if dtype.kind not in "buif":
        raise DataError(f"holds values of type {dtype}, not real numbers; convert it")

    def values() -> NDArray[Any]:
        with volume_stacks.Stack(source, _name(source)) as opened:
            return opened.values()

    return _Opened(VolumeHeader((sides[0], sides[1], sides[2]), channels, spacing, f"TIFF {dtype}"), values)


def _opened_series(source: Path | bytes) -> _Opened:
    series, content = (
        (dicom_series.series_of(source), None) if isinstance(source, Path) else dicom.series_in_bytes(source)
    )
    sides, spacing = _upright(series.shape, dicom.series_placement(series))
    modality = str(series.slices[0].header.get("Modality") or "of unknown modality")
    return _Opened(VolumeHeader(sides, 1, spacing, f"DICOM {modality}"), lambda: dicom.series_values(series, content))


def _opened_nifti(source: Path | bytes) -> _Opened:
    image = nifti.open_nifti(source)
    channels, *stored = nifti.nifti_shape(image)
    sides, spacing = _upright(stored, nifti.nifti_placement(image))
    mode = f"NIfTI {image.get_data_dtype()}"
    return _Opened(VolumeHeader(sides, channels, spacing, mode), lambda: nifti.nifti_values(image))


def _upright(stored: Sequence[int], placed: Placement | None) -> tuple[Sides, Spacing | None]:
    if placed is None:
        return (stored[0], stored[1], stored[2]), None
    return placed.upright_sides(stored), placed.upright_spacing


def _check_size(header: VolumeHeader) -> None:
    shown = " x ".join(map(str, header.sides))
    if min(header.sides) < 2:
        raise DataError(f"is {shown} voxels, a 2-D image, not a volume; give one with several slices")
    if header.channels * prod(header.sides) > MOST_VALUES:
        raise DataError(
            f"is {header.channels} x {shown} values, more than the limit of {MOST_VALUES:,}; make it smaller"
        )


def _start(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:_START]
    check_regular(source)
    with source.open("rb") as file:
        return file.read(_START)


def _name(source: Path | bytes) -> str:
    return str(source) if isinstance(source, Path) else VOLUME


def _why(source: Path | bytes, error: Exception) -> str:
    if isinstance(error, OSError) and isinstance(source, Path):
        return error_text(source, error).replace("not an image", "not a volume")
    return "damaged or truncated; copy it again or delete it"


def _placed(error: Exception, name: str) -> Exception:
    """The error with the name of the file, if it lacks it."""
    if isinstance(error, MissingExtraError) or str(error).startswith(f"{name}: "):
        return error
    return DataError(f"{name}: {error}".replace("not an image", "not a volume"))

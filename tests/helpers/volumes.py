"""Volumes for the tests: NIfTI files, DICOM series and TIFF stacks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def block(sides: tuple[int, int, int] = (6, 8, 10), place: int = 0) -> NDArray[np.int16]:
    """(D, H, W) of 100 with a block of 900 in one corner, and another value for each of two places."""
    values = np.full(sides, 100, np.int16)
    values[:2, :3, :4] = 900 - 300 * place
    return values


def write_nifti(
    path: Path, values: NDArray, spacing: Sequence[float] = (1, 1, 1), affine: NDArray | None = None
) -> Path:
    """Write (D, H, W) values as voxels (W, H, D); without an affine, axes lead to the left, back and head."""
    import nibabel

    steps = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0]) if affine is None else affine
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(np.ascontiguousarray(values.T), steps).to_filename(path)
    return path


def write_dicom(
    folder: Path,
    values: NDArray,
    spacing: Sequence[float] = (1, 1, 1),
    leave_out: Sequence[int] = (),
    series: str = "1.2.3",
) -> Path:
    """Write (D, H, W) values as one CT file per slice, in Hounsfield units with an intercept of -1024."""
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    folder.mkdir(parents=True, exist_ok=True)
    for number, plane in enumerate(values):
        if number in leave_out:
            continue
        header = pydicom.dataset.FileMetaDataset()
        header.MediaStorageSOPClassUID = CTImageStorage
        header.MediaStorageSOPInstanceUID = f"{series}.{number + 1}"
        header.TransferSyntaxUID = ExplicitVRLittleEndian
        one = pydicom.Dataset()
        one.file_meta = header
        one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, f"{series}.{number + 1}"
        one.SeriesInstanceUID, one.Modality, one.InstanceNumber = series, "CT", number + 1
        one.Rows, one.Columns = plane.shape
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation = 15, 0
        one.ImagePositionPatient = [0, 0, number * spacing[0]]
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.PixelSpacing, one.SliceThickness = [spacing[1], spacing[2]], spacing[0]
        one.RescaleSlope, one.RescaleIntercept = 1, -1024
        one.PixelData = (plane + 1024).astype(np.uint16).tobytes()
        name = f"{len(values) - number:03d}.dcm"  # so that the order of names is not that of positions
        one.save_as(folder / name, enforce_file_format=True)
    return folder


def write_stack(path: Path, values: NDArray, spacing: Sequence[float] | None = None) -> Path:
    """Write (D, H, W) values as the pages of a TIFF, with a spacing as ImageJ has it."""
    import tifffile

    path.parent.mkdir(parents=True, exist_ok=True)
    if spacing is None:
        tifffile.imwrite(path, values, photometric="minisblack", metadata={"axes": "ZYX"})
    else:
        about = {"axes": "ZYX", "spacing": spacing[0], "unit": "mm"}
        tifffile.imwrite(path, values, imagej=True, resolution=(1 / spacing[2], 1 / spacing[1]), metadata=about)
    return path

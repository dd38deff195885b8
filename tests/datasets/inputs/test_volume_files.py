"""Volume files: shape, spacing, orientation, values, and what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from convscope.datasets.inputs.volume_files import VolumeHeader, read_volume, read_volume_headers
from convscope.errors import DataError
from helpers.volumes import block, write_dicom, write_nifti, write_stack

pytest.importorskip("nibabel", reason="the extra volume is not installed")
pytest.importorskip("pydicom", reason="the extra volume is not installed")


def why(path: Path) -> str:
    (found,) = read_volume_headers([path])
    if isinstance(found, str):
        return found
    with pytest.raises(DataError) as caught:
        read_volume(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_all_formats_give_the_same_upright_volume_with_its_spacing(tmp_path: Path) -> None:
    values, spacing = block(), (2.5, 0.5, 0.75)
    series = write_dicom(tmp_path / "series", values, spacing)
    np.save(tmp_path / "a.npy", values)
    paths = [
        write_nifti(tmp_path / "a.nii", values, spacing), write_nifti(tmp_path / "a.nii.gz", values, spacing),
        series / "003.dcm", write_stack(tmp_path / "a.tif", values.astype(np.uint16), spacing), tmp_path / "a.npy",
    ]  # fmt: skip
    headers = read_volume_headers(paths)
    assert [header.mode for header in headers] == [
        "NIfTI int16", "NIfTI int16", "DICOM CT", "TIFF uint16", "array int16",
    ]  # fmt: skip
    for path, header in zip(paths, headers, strict=True):
        assert header.sides == (6, 8, 10)
        volume = read_volume(path)
        assert np.array_equal(volume.values[0], values)
        assert volume.spacing == header.spacing
        if path.suffix != ".npy":
            assert header.spacing == pytest.approx(spacing)
            if path.suffix != ".dcm":
                assert np.array_equal(read_volume(path.read_bytes()).values, volume.values)


def test_a_file_whose_axes_lead_elsewhere_is_turned_upright(tmp_path: Path) -> None:
    values = block()
    plain = write_nifti(tmp_path / "plain.nii", values)
    turned = np.zeros((4, 4))
    turned[0, 2], turned[1, 0], turned[2, 1], turned[3, 3] = 3, -2, 1, 1  # axes lead to the back, head and right
    stored = np.flip(values.transpose(1, 0, 2), 2)  # (back, head, right)
    other = write_nifti(tmp_path / "other.nii", stored.T, affine=turned)
    assert np.array_equal(read_volume(other).values, read_volume(plain).values)
    assert read_volume(other).spacing == (1, 2, 3)


def test_a_fourth_axis_is_the_channels(tmp_path: Path) -> None:
    values = np.stack([block(), block(place=1)])
    (header,) = read_volume_headers([write_nifti(tmp_path / "a.nii", values)])
    assert header == VolumeHeader((6, 8, 10), 2, (1, 1, 1), "NIfTI int16")
    np.save(tmp_path / "first.npy", values)
    np.save(tmp_path / "last.npy", values.transpose(1, 2, 3, 0))
    for path in (tmp_path / "a.nii", tmp_path / "first.npy", tmp_path / "last.npy"):
        assert np.array_equal(read_volume(path).values, values)


def test_a_series_with_a_missing_slice_is_named(tmp_path: Path) -> None:
    folder = write_dicom(tmp_path / "p1", block(), (2.5, 1, 1), leave_out=[3])
    assert why(folder / "001.dcm") == (
        "a slice is missing between 5 and 10 mm: the others are 2.5 apart; copy the series again"
    )


def test_a_singular_affine_is_named(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii", block(), affine=np.diag([1.0, 1.0, 1.0, 1.0]))
    content = bytearray(path.read_bytes())
    content[280:328] = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]], "<f4").tobytes()  # srow_x, y and z
    path.write_bytes(content)
    assert why(path) == "its affine is singular: the steps between voxels lie in one plane; export it again"


def test_nan_and_damage_are_named(tmp_path: Path) -> None:
    values = block().astype(np.float32)
    values[0, 0, 0] = np.nan
    assert why(write_nifti(tmp_path / "nan.nii", values)) == (
        "contains nan or infinity, 0.2% of its voxels; export it again"
    )
    whole = write_nifti(tmp_path / "a.nii", block()).read_bytes()
    damaged = "damaged or truncated; copy it again or delete it"
    for name, content in (
        ("cut.nii", whole[:700]), ("short.nii", whole[:100]), ("cut.nii.gz", gzip.compress(whole)[:60]),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert why(tmp_path / name) in (
            damaged, "not a volume in a supported format, or damaged; convert it to NIfTI, or delete it",
        )  # fmt: skip
    (tmp_path / "cut.dcm").write_bytes((write_dicom(tmp_path / "p", block()) / "001.dcm").read_bytes()[:300])
    assert why(tmp_path / "cut.dcm") == "not a DICOM file, or damaged; copy it again or delete it"
    stack = write_stack(tmp_path / "a.tif", block())
    stack.write_bytes(stack.read_bytes()[:600])
    assert why(stack) == damaged


def test_images_are_no_volumes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((8, 8), np.uint8))
    assert why(tmp_path / "a.npy") == ("an array of 8 x 8, a 2-D image, not a volume; save depth x height x width")
    write_stack(tmp_path / "a.tif", block()[0])
    assert why(tmp_path / "a.tif") == "has one page, a 2-D image, not a volume; save its slices as pages"
    folder = write_dicom(tmp_path / "one", block()[:1])
    assert why(folder / "001.dcm") == "is one slice, a 2-D image; give all slices of the series"
    (tmp_path / "a.nii").write_bytes(b"\x89PNG" + bytes(400))
    assert why(tmp_path / "a.nii") == (
        "not a volume in a supported format, or damaged; convert it to NIfTI, or delete it"
    )

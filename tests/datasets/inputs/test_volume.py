"""Volumes as inputs: sizes, values, spacing, duplicates, augmentation, and which files are volumes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.datasets import INPUT_KINDS, InputSettings, build_store
from convscope.datasets.augment.volume import VOLUME_POLICIES, VolumeAugment, VolumePolicy
from convscope.datasets.inputs.volume_geometry import resized
from convscope.errors import ConfigError, DataError
from convscope.layouts import open_data
from helpers.volumes import block, write_dicom, write_nifti, write_stack

KIND = INPUT_KINDS["volume"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of NIfTI files of two sizes and spacings."""
    pytest.importorskip("nibabel", reason="the extra volume is not installed")
    for place, name in enumerate("ab"):
        for number in range(4):
            sides, spacing = ((6, 8, 10), (2, 1, 1)) if number else ((12, 8, 10), (1, 1, 1))
            write_nifti(tmp_path / "data" / name / f"{number}.nii.gz", block(sides, place) + number, spacing)
    return tmp_path / "data"


def test_a_folder_of_nifti_files_says_sizes_range_and_spacing(folder: Path) -> None:
    data = open_data(folder)
    assert (data.input_kind, data.names[0], data.channels) == ("volume", "a/0.nii.gz", 1)
    assert data.modes == {"NIfTI int16": 8}
    assert KIND.usual_size(data) == ((6, 8, 10), "volumes of 6 x 8 x 10 voxels, the median")
    assert data.notes == (
        "100 to 903 becomes 0 to 255; set data.black and data.white for another range, or input.scaling to each where "
        "values of different volumes cannot be compared",
        "spacing of voxels: 1 x 1 x 1 to 2 x 1 x 1 mm (depth x height x width); volumes are resized to the input, set "
        "input.spacing to resample all to one spacing",
    )


def test_volumes_are_resized_or_resampled_to_one_spacing(folder: Path) -> None:
    data = open_data(folder)
    store = build_store(data, (6, 8, 10))
    assert store.pixels.shape == (8, 1, 6, 8, 10)
    assert store.pixels[1, 0, 0, 0, 0] == round(801 * 255 / 803)
    found = KIND.with_settings(data, InputSettings(spacing=(1, 1, 2)))
    assert found.sizes.tolist() == [[12, 8, 5]] * 8
    assert found.notes[-1] == "volumes are resampled to 1 x 1 x 2 mm, as set"
    padded = build_store(found, (14, 8, 4)).pixels
    assert not padded[:, :, [0, 13]].any()
    assert padded[:, :, 1:7, :3, :2].any(axis=(2, 3, 4)).all()
    assert (
        KIND.cut_note(found, (12, 8, 4))
        == "8 volumes are cut to the middle; set data.size to [12, 8, 5] to keep all of it"
    )


def test_decoded_files_equal_the_store(folder: Path) -> None:
    for settings in (InputSettings(), InputSettings(spacing=(1, 1, 1)), InputSettings(scaling="each")):
        data = KIND.with_settings(open_data(folder), settings)
        store = build_store(data, (7, 8, 9))
        preprocessing = KIND.from_data(data, (7, 8, 9), store.pixels, np.arange(8))
        assert np.array_equal(preprocessing.decode(data.images[1]).values, store.pixels[1])
        assert preprocessing.settings.spacing == settings.spacing
        x = preprocessing(torch.from_numpy(np.asarray(store.pixels)))
        assert abs(float(x.mean())) < 1e-4
        assert abs(float(x.std()) - 1) < 0.01


def test_a_spacing_needs_files_that_say_their_own(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "0.npy", np.zeros((16, 16, 16)))
    with pytest.raises(ConfigError) as caught:
        KIND.with_settings(open_data(tmp_path), InputSettings(spacing=(1, 1, 1)))
    assert str(caught.value) == (
        f"input.spacing is [1.0, 1.0, 1.0], but 2 of 2 volumes of {tmp_path} do not say their spacing; remove it"
    )


def test_a_series_of_slices_is_one_volume(tmp_path: Path) -> None:
    pytest.importorskip("pydicom", reason="the extra volume is not installed")
    for name in "ab":
        for patient in range(2):
            write_dicom(tmp_path / name / f"{name}{patient}", block() + patient, series=f"1.{patient + 1}")
    write_dicom(tmp_path / "b" / "b9", block(), leave_out=[2])
    data = open_data(tmp_path)
    assert data.names == ("a/a0/001.dcm", "a/a1/001.dcm", "b/b0/001.dcm", "b/b1/001.dcm")
    assert [(one.name, one.why) for one in data.skipped] == [
        ("b/b9/001.dcm", "a slice is missing between 1 and 3 mm: the others are 1 apart; copy the series again")
    ]
    assert "24 files are further slices of volumes: a series of slices is one of them" in data.notes
    files = sorted((tmp_path / "a").rglob("*.dcm"))
    assert [path.parent.name for path in KIND.one_per_example(files)] == ["a0", "a1"]


def test_stacks_are_images_unless_they_are_requested_as_volumes(tmp_path: Path) -> None:
    for place, name in enumerate("ab"):
        for number in range(2):
            write_stack(tmp_path / name / f"{number}.tif", block(place=place) + number)
    assert open_data(tmp_path).input_kind == "image"
    data = open_data(tmp_path, file_kind="volume")
    assert (data.input_kind, data.sizes[0].tolist()) == ("volume", [6, 8, 10])
    assert "0.tif and the others are read as volumes; set input.kind to image to read images" in data.notes
    with pytest.raises(ConfigError) as caught:
        open_data(tmp_path, file_kind="volumes")
    assert str(caught.value) == "input.kind is 'volumes', which is no kind of file; did you mean volume?"


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((24, 24, 24), "volume"),
        ((2, 8, 8, 8), "volume"),
        ((24, 24, 3), "image"),
        ((64, 64, 13), "image"),
        ((24, 24), "image"),
    ],
)
def test_arrays_of_the_shape_of_volumes_are_volumes(tmp_path: Path, shape: tuple[int, ...], kind: str) -> None:
    for place, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "0.npy", np.full(shape, place, np.uint8))
    assert open_data(tmp_path).input_kind == kind


def test_an_image_among_volumes_is_skipped(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(3):
            np.save(tmp_path / name / f"{number}.npy", np.full((16, 16, 16), number, np.uint8))
    np.save(tmp_path / "a" / "flat.npy", np.zeros((16, 16), np.uint8))
    (tmp_path / "b" / "flat.png").write_bytes(b"")
    skipped = {one.name: one.why for one in open_data(tmp_path).skipped}
    assert skipped == {
        "a/flat.npy": "an array of 16 x 16, a 2-D image, not a volume; save depth x height x width",
        "b/flat.png": "is no volume, as most files are; put files of each kind in a dataset of their own",
    }


def test_a_table_lists_volumes(folder: Path) -> None:
    rows = [f"{name}/{number}.nii.gz,{name}" for name in "ab" for number in range(4)]
    (folder / "labels.csv").write_text("\n".join(("file,label", *rows)))
    data = open_data(folder / "labels.csv")
    assert (data.input_kind, len(data), data.layout) == ("volume", 8, "table")


def test_volumes_and_their_masks_are_not_two_classes(tmp_path: Path) -> None:
    pytest.importorskip("nibabel", reason="the extra volume is not installed")
    for name in ("imagesTr", "labelsTr"):
        write_nifti(tmp_path / name / "0.nii.gz", block())
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: imagesTr and labelsTr hold volumes and their masks, and masks of volumes are not read; give one "
        "subfolder per class, or choose --layout folder if they are classes"
    )


def test_equal_volumes_are_duplicates() -> None:
    stored = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 3, 3), np.uint8)
    stored[3] = stored[1]
    assert KIND.find_duplicates(stored, np.arange(4)).groups.tolist() == [0, 1, 2, 1]


def test_resizing_averages_where_a_volume_shrinks() -> None:
    values = np.random.default_rng(0).random((1, 4, 6, 8))
    assert resized(values, (4, 6, 8)) == pytest.approx(values)
    small = resized(values, (2, 3, 4))
    assert small.shape == (1, 2, 3, 4)
    assert float(small.mean()) == pytest.approx(values.mean(), abs=0.05)
    assert resized(np.full((1, 4, 6, 8), 3.0), (9, 2, 5)) == pytest.approx(3)


def augmented(x: torch.Tensor, **changes: object) -> torch.Tensor:
    augment = VolumeAugment(VolumePolicy.model_validate(changes))
    return augment.augment_pair(x, torch.zeros(len(x)), "", torch.Generator().manual_seed(0))[0]


def test_flips_and_turns_keep_the_voxels() -> None:
    x = torch.rand(8, 1, 4, 6, 6)
    for changes in ({"flip": True}, {"turn": True}):
        found = augmented(x, **changes)
        assert not torch.equal(found, x)
        assert torch.equal(found.flatten(1).sort().values, x.flatten(1).sort().values)


def test_shifts_alone_are_by_whole_voxels() -> None:
    x = torch.randint(0, 256, (4, 1, 8, 8, 8), dtype=torch.uint8)
    found = (255 * augmented(x, shift=1 / 8)).round()
    inside = found[:, 0, 2:-2, 2:-2, 2:-2].to(torch.uint8)
    for one, whole in zip(inside, x[:, 0], strict=True):
        places = [(a, b, c) for a in (1, 2, 3) for b in (1, 2, 3) for c in (1, 2, 3)]
        assert any(torch.equal(one, whole[a : a + 4, b : b + 4, c : c + 4]) for a, b, c in places)


def test_augmentation_keeps_shape_and_range_and_repeats_with_the_seed() -> None:
    x = torch.randint(0, 256, (4, 2, 6, 8, 10), dtype=torch.uint8)
    for name in ("light", "standard", "strong"):
        policy = VOLUME_POLICIES[name].model_dump()
        found = augmented(x, **policy)
        assert found.shape == x.shape
        assert 0 <= float(found.min()) <= float(found.max()) <= 1
        assert torch.equal(found, augmented(x, **policy))
    assert augmented(x) is x


def test_a_turn_keeps_a_ball_of_unequal_sides() -> None:
    axes = [torch.arange(side) - (side - 1) / 2 for side in (9, 13, 17)]
    ball = torch.exp(-sum(one**2 for one in torch.meshgrid(*axes, indexing="ij")) / 8)[None, None]
    assert float((augmented(ball, rotate=90) - ball).abs().max()) < 0.15


def test_arrays_of_volumes_are_read(tmp_path: Path) -> None:
    for shape, channels in (((6, 5, 8, 9), 1), ((6, 2, 5, 8, 9), 2), ((6, 5, 8, 9, 2), 2)):
        np.savez(tmp_path / "a.npz", images=np.random.default_rng(0).random(shape), labels=np.arange(6) % 2)
        data = open_data(tmp_path / "a.npz")
        assert (data.input_kind, data.channels, data.sizes[0].tolist()) == ("volume", channels, [5, 8, 9])
    np.savez(tmp_path / "a.npz", images=np.zeros((6, 5, 8, 9)), labels=np.arange(5) % 2)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path / "a.npz")
    assert str(caught.value) == (
        f"{tmp_path / 'a.npz'}: the volumes have the shape (6, 5, 8, 9) and labels (5,); give (N, D, H, W) numbers and "
        "N labels"
    )


def test_digits3d_is_drawn_equal_each_time() -> None:
    data = open_data("digits3d")
    assert (len(data), data.input_kind, data.images.shape) == (1797, "volume", (1797, 1, 12, 12, 12))
    assert np.bincount(data.targets).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.array_equal(data.images[:20], open_data("digits3d").images[:20])


def test_a_drawing_has_three_slices() -> None:
    drawn = KIND.draw(np.arange(2 * 3 * 4, dtype=np.uint8).reshape(1, 2, 3, 4))
    assert drawn.shape == (72, 296, 3)

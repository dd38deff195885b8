"""The range of deep images: bits in use, floats from low to high, missing pixels, channels of their own."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets.inputs.image import ImageSpec, decode
from convscope.datasets.inputs.value_range import ValueRange, find_range, range_note, scale_note
from convscope.layouts import read_folder

Floats = NDArray[np.float32]


def ramp(low: float, high: float, shape: tuple[int, ...] = (40, 50)) -> Floats:
    return np.linspace(low, high, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def saved(folder: Path, *arrays: NDArray[np.generic], ending: str = "npy") -> list[Path]:
    paths = [folder / f"{number}.{ending}" for number in range(len(arrays))]
    for path, values in zip(paths, arrays, strict=True):
        if ending == "npy":
            np.save(path, values)
        else:
            Image.fromarray(values).save(path)
    return paths


@pytest.mark.parametrize(
    ("highest", "bits"), [(200, 8), (255, 8), (256, 10), (1000, 10), (4095, 12), (16383, 14), (16384, 16), (65535, 16)]
)
def test_unsigned_integers_keep_the_range_of_the_bits_in_use(tmp_path, highest, bits) -> None:
    dark, bright = ramp(0, highest / 2).astype(np.uint16), ramp(0, highest).astype(np.uint16)
    for ending in ("png", "npy"):
        found = find_range(saved(tmp_path, dark, bright, ending=ending), 1)
        assert found == ValueRange((0.0,), (float(2**bits - 1),), bits)


def test_integers_in_a_small_part_of_their_range_are_scaled_from_lowest_to_highest(tmp_path) -> None:
    found = find_range(saved(tmp_path, ramp(29_000, 31_000).astype(np.uint16), ending="png"), 1)
    assert found == ValueRange((29_000.0,), (31_000.0,))
    dark = ramp(0, 3000, (400, 500)).astype(np.uint16)
    dark.flat[:20] = np.arange(65_516, 65_536)  # hot pixels
    found = find_range(saved(tmp_path, dark, ending="png"), 1)
    assert found.black[0] < 5
    assert found.white[0] == pytest.approx(2997, abs=5)


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64, np.float32, np.float64, np.float16])
def test_signed_values_are_scaled_from_lowest_to_highest(tmp_path, kind) -> None:
    assert find_range(saved(tmp_path, ramp(-200, 60).astype(kind)), 1) == ValueRange((-200.0,), (60.0,))


def test_floats_up_to_1_and_to_255_keep_black_at_0(tmp_path) -> None:
    assert find_range(saved(tmp_path, ramp(0.2, 0.9)), 1) == ValueRange((0.0,), (1.0,), 0)
    assert find_range(saved(tmp_path, ramp(10, 240)), 1) == ValueRange((0.0,), (255.0,), 8)
    assert find_range(saved(tmp_path, ramp(0.5, 0.55)), 1).black == (0.5,)


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        (-9999, ("-9999",)),
        (-32768, ("-32768",)),
        (np.finfo(np.float32).min, ("-3.40282e+38",)),
        (1e20, ("1e+20",)),
        (np.nan, ("NaN",)),
        (-np.inf, ("infinity",)),
        (0, ("0",)),
    ],
)
def test_values_of_missing_pixels_are_left_out_and_said(tmp_path, missing, names) -> None:
    kelvin = ramp(270, 295)
    kelvin[0, :9] = missing
    found = find_range(saved(tmp_path, kelvin, ramp(275, 290), ending="tif"), 1)
    assert found.without == names
    assert found.black[0] == pytest.approx(270, abs=0.2)
    assert found.white == (295.0,)
    pixels = decode(tmp_path / "1.tif", ImageSpec(None, 1, found.white, found.black)).pixels
    assert (pixels.min(), pixels.max()) == (50, 204)
    assert len(np.unique(pixels)) > 100


def test_terrain_of_any_height_leaves_out_the_customary_value(tmp_path) -> None:
    heights = ramp(0, 4000)
    heights[:3] = -9999
    found = find_range(saved(tmp_path, heights), 1)
    assert (found.without, found.white) == (("-9999",), (4000.0,))
    loud = ramp(-32768, 32767).astype(np.int16)  # the same number as a value like others
    assert find_range(saved(tmp_path, loud), 1) == ValueRange((-32768.0,), (32767.0,))


def test_other_than_1_or_3_channels_have_ranges_of_their_own(tmp_path) -> None:
    cube = np.stack([ramp(0, 1), ramp(-5, 5), ramp(280, 300), ramp(0, 1), ramp(0, 1)], -1)
    found = find_range(saved(tmp_path, cube), 5)
    assert found.black == (0.0, -5.0, 280.0, 0.0, 0.0)
    assert found.white == (1.0, 5.0, 300.0, 1.0, 1.0)
    pixels = decode(tmp_path / "0.npy", ImageSpec(None, 5, found.white, found.black)).pixels
    assert pixels.shape == (5, 40, 50)
    assert pixels.reshape(5, -1).min(1).tolist() == [0] * 5
    assert pixels.reshape(5, -1).max(1).tolist() == [255] * 5


def test_constant_and_empty_values_have_a_range() -> None:
    assert find_range([], 1) == ValueRange()


def test_a_constant_image_has_a_range(tmp_path) -> None:
    assert find_range(saved(tmp_path, np.full((4, 4), 7.5, np.float32)), 1) == ValueRange((7.5,), (8.5,))
    assert find_range(saved(tmp_path, np.full((4, 4), np.nan, np.float32)), 1) == ValueRange(without=("NaN",))


@pytest.mark.parametrize(
    ("found", "note"),
    [
        (ValueRange((0.0,), (4095.0,), 12), ", of which 12 are in use: 0 to 4,095"),
        (ValueRange((0.0,), (65535.0,), 16), ": 0 to 65,535"),
        (ValueRange((0.0,), (1.0,), 0), ": 0 to 1"),
        (ValueRange((0.0, 1.0), (2.0, 3.0), None, ("NaN",)), ": the range of each channel without NaN"),
    ],
)
def test_the_note_says_the_range(found, note) -> None:
    assert range_note(3, found) == (
        f"3 images have more than 8 bits per grey{note} becomes 0 to 255; "
        "set data.black and data.white for another range"
    )


def test_a_folder_of_temperatures_says_its_range_and_uses_all_greys(tmp_path) -> None:
    for name, low in (("cold", 270), ("warm", 280)):
        (tmp_path / name).mkdir()
        for number in range(3):
            kelvin = ramp(low, low + 15)
            kelvin[0, 0], kelvin[0, 1] = -9999, np.nan
            Image.fromarray(kelvin).save(tmp_path / name / f"{number}.tif")
    dataset = read_folder(tmp_path)
    assert dataset.notes == (
        "6 images have more than 8 bits per grey: 270.015 to 295, the range of their values without NaN and -9999, "
        "becomes 0 to 255; set data.black and data.white for another range",
    )
    assert (dataset.channels, dataset.modes) == (1, {"32-bit grey": 6})
    warm = decode(dataset.images[-1], dataset.spec()).pixels
    assert int(warm[0, 0, 0]) == int(warm[0, 0, 1]) == 0
    assert warm[0, 1:].min() > 95
    assert warm.max() == 255


def test_files_of_fractions_beside_files_up_to_255_are_named(tmp_path) -> None:
    both = [ramp(0, 1), ramp(0.1, 0.9), ramp(0, 255), ramp(3, 250), ramp(0, 240)]
    found = find_range(saved(tmp_path, *both), 1)
    assert (found.white, found.scales) == ((255.0,), (2, 3, 255.0))
    assert scale_note(found) == (
        "5 images were looked at: 2 hold fractions up to 1 and 3 values up to 255, as if saved on two scales; one "
        "range is used for all, in which the former are nearly even; save all on one scale"
    )


@pytest.mark.parametrize(
    "values",
    [
        (ramp(0, 1), ramp(0.2, 0.8)),
        (ramp(0, 255), ramp(0, 90)),
        (ramp(0, 0.9), ramp(0, 7), ramp(0, 60)),  # rain
        (ramp(0, 255), ramp(0, 0)),  # black
        (ramp(0, 1).round(), ramp(0, 200)),
        (ramp(-200, 60), ramp(-300, 400)),
    ],
)
def test_values_of_one_scale_have_no_note(tmp_path, values) -> None:
    found = find_range(saved(tmp_path, *values), 1)
    assert found.scales is None
    assert scale_note(found) == ""

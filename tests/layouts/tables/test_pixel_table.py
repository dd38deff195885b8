"""Tables whose rows hold pixels: MNIST, Kaggle's digits, optdigits, FER2013 and facial keypoints, as published."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.errors import DataError
from convscope.layouts.recognise import open_data


def pictures(count: int, shape: Sequence[int] = (8, 8), highest: int = 255) -> np.ndarray:
    """(N, ...) whole numbers from 0 to `highest`, which occurs in each; the first value is 0."""
    found = np.random.default_rng(0).integers(1, highest, (count, *shape))
    flat = found.reshape(count, -1)
    flat[:, 0], flat[:, -1] = 0, highest
    return found


def write(path: Path, header: str, rows: Sequence[Sequence[object]]) -> Path:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(line for line in lines if line) + "\n")
    return path


def decoded(dataset) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in dataset.images])


@pytest.mark.parametrize("header", [
    "label," + ",".join(f"{row}x{column}" for row in range(1, 9) for column in range(1, 9)),
    "label," + ",".join(f"pixel{i}" for i in range(64)),
    "label," + ",".join(f"px_{i:04}" for i in range(64)),
    "",
])  # fmt: skip
def test_a_column_per_pixel(tmp_path: Path, header: str) -> None:
    values = pictures(12)
    for split, rows in (("train", range(8)), ("test", range(8, 12))):
        write(tmp_path / f"mnist_{split}.csv", header, [[i % 2, *values[i].ravel()] for i in rows])
    dataset = open_data(tmp_path)
    assert (dataset.layout, dataset.classes, dataset.channels) == ("table-folder", ("0", "1"), 1)
    assert dataset.splits.tolist() == ["test"] * 4 + ["train"] * 8
    assert (decoded(dataset) == values[[8, 9, 10, 11, *range(8)]]).all()
    assert [dataset.classes[target] for target in dataset.targets] == list("0101" + "01010101")
    named = f" ({header.split(',')[1]} ...)" if header else ""
    series = "" if header else "; --layout series reads them as series"
    assert f"64 columns{named} are read as the pixels of 8 x 8 grey images, row by row{series}" in dataset.notes
    assert open_data(tmp_path / "mnist_train.csv").layout == "table"


def test_the_label_may_be_last_and_few_levels_are_spread(tmp_path: Path) -> None:
    values = pictures(10, highest=16)
    write(tmp_path / "optdigits.csv", "", [[*values[i].ravel(), i % 2] for i in range(10)])
    dataset = open_data(tmp_path)
    assert (decoded(dataset) == np.rint(values * (255 / 16))).all()
    assert [dataset.classes[target] for target in dataset.targets] == list("01" * 5)
    assert "the pixels are 0 to 16: 16 becomes 255" in dataset.notes


def test_three_channels_are_those_of_each_pixel(tmp_path: Path) -> None:
    values = pictures(8, (8, 8, 3))
    header = ",".join([*(f"pixel{i:04}" for i in range(192)), "label"])
    write(tmp_path / "rgb.csv", header, [[*values[i].ravel(), "ab"[i % 2]] for i in range(8)])
    dataset = open_data(tmp_path / "rgb.csv")
    assert (dataset.channels, dataset.classes) == (3, ("a", "b"))
    assert (decoded(dataset) == values).all()


def test_all_pixels_in_one_cell_beside_the_usage(tmp_path: Path) -> None:
    values, usage = pictures(10, (48, 48)), ["Training"] * 6 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    rows = [[i % 2, " ".join(map(str, values[i].ravel())), usage[i]] for i in range(10)]
    dataset = open_data(write(tmp_path / "fer2013.csv", "emotion,pixels,Usage", rows))
    assert dataset.splits.tolist() == ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    assert (decoded(dataset) == values).all()
    assert dataset.names[0] == "fer2013/000002.png"
    assert "columns used: pixels for image, emotion for label, Usage for split" in dataset.notes


def test_points_beside_pixels_are_numbers(tmp_path: Path) -> None:
    values = pictures(10)
    rows = [[10.5 + i, 20.25 - i, " ".join(map(str, values[i].ravel()))] for i in range(10)]
    dataset = open_data(write(tmp_path / "training.csv", "eye_x,eye_y,Image", rows))
    assert (dataset.target_kind, dataset.classes) == ("numbers", ("eye_x", "eye_y"))
    assert dataset.targets[3].tolist() == [13.5, 17.25]


def test_rows_that_are_no_image_are_skipped(tmp_path: Path) -> None:
    values = pictures(8)
    header = "label," + ",".join(f"pixel{i}" for i in range(64))
    rows = [[i % 2, *values[i].ravel()] for i in range(8)]
    rows[1][5], rows[3][7], rows[5] = "x", 300, rows[5][:40]
    dataset = open_data(write(tmp_path / "a.csv", header, rows))
    assert {(one.name, one.why) for one in dataset.skipped} == {
        (f"row {number}", "does not have 64 numbers from 0 to 255") for number in (3, 5, 7)
    }
    with pytest.raises(DataError) as error:
        open_data(write(tmp_path / "b.csv", header, [rows[1]]))
    assert str(error.value) == (
        f"{tmp_path / 'b.csv'}: no row holds an image; the first does not have 64 numbers from 0 to 255"
    )


def test_rows_of_other_numbers_stay_series(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(8, 64))
    path = write(tmp_path / "a.csv", "", [[i % 2, *values[i]] for i in range(8)])
    assert open_data(path).layout == "series"
    whole = write(tmp_path / "b.csv", "", [[i % 2, *pictures(8)[i].ravel()] for i in range(8)])
    assert (open_data(whole).layout, open_data(whole, layout="series").layout) == ("table", "series")


def test_columns_of_pixels_that_are_no_square_are_named(tmp_path: Path) -> None:
    header = "label," + ",".join(f"pixel{i}" for i in range(65))
    path = write(tmp_path / "a.csv", header, [[i, *range(65)] for i in range(4)])
    with pytest.raises(DataError) as error:
        open_data(path)
    assert str(error.value) == f"{path}: 65 columns of pixels, which are no square image; save the images as PNG"

"""Files of labelled series, and arrays of them."""

import numpy as np
import pytest

from convscope.datasets.inputs.series_files import read_series
from convscope.errors import DataError
from convscope.layouts import open_data
from convscope.layouts.waves import TEMPLATES, draw_waves


def rows(labels, length=10):
    return [(label, (np.arange(length) + number).tolist()) for number, label in enumerate(labels)]


def tsv(path, labels, length=10):
    path.write_text("\n".join("\t".join(map(str, (label, *values))) for label, values in rows(labels, length)))
    return path


def test_the_two_files_of_the_ucr_archive_are_the_splits(tmp_path):
    tsv(tmp_path / "GunPoint_TRAIN.tsv", [1, 2, 1, 2])
    tsv(tmp_path / "GunPoint_TEST.tsv", [2, 1])
    (tmp_path / "README.md").write_text("x")
    data = open_data(tmp_path)
    assert (data.layout, data.because) == ("series", "the rows of GunPoint_TEST.tsv are a label and numbers")
    assert (data.input_kind, data.classes, data.targets.tolist()) == ("series", ("1", "2"), [0, 1, 0, 1, 1, 0])
    assert data.splits.tolist() == ["train"] * 4 + ["test"] * 2
    assert data.images.shape == (6, 1, 10)
    assert data.images[5, 0].tolist() == list(range(1, 11))
    assert (data.names[0], data.names[4]) == ("train/00000", "test/00000")


def test_labels_of_minus_one_and_with_zeros_after_the_point_are_classes(tmp_path):
    data = open_data(tsv(tmp_path / "a.tsv", ["-1.0000000e+00", "1.0", "-1.0", "1"]))
    assert (data.classes, data.targets.tolist()) == (("-1", "1"), [0, 1, 0, 1])


def test_labels_that_are_numbers_are_a_regression(tmp_path):
    data = open_data(tsv(tmp_path / "a.tsv", [0.5, 1.5, 2.25, 3.0]))
    assert (data.target_kind, data.targets[:, 0].tolist()) == ("numbers", [0.5, 1.5, 2.25, 3.0])


def labelled(path, labels):
    path.write_text("\n".join(",".join([label, *map(str, range(9))]) for label in labels))
    return open_data(path)


@pytest.mark.parametrize("marks", [("none", "?"), ("", "NaN")])
@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("down", "up")])
def test_series_without_a_label_are_skipped_and_make_no_class(tmp_path, marks, first, second):
    data = labelled(tmp_path / "a.csv", [first, marks[0], second, marks[1], first])
    assert (data.classes, data.targets.tolist()) == ((first, second), [0, 1, 0])
    assert [(one.name, one.why) for one in data.skipped] == [
        ("series/00001", "its label is missing"),
        ("series/00003", "its label is missing"),
    ]


def test_numbers_with_an_exponent_are_a_regression_or_classes_by_their_values(tmp_path):
    assert labelled(tmp_path / "a.csv", ["5e-1", "1", "2"]).targets[:, 0].tolist() == [0.5, 1, 2]
    assert labelled(tmp_path / "a.csv", ["1e1", "2", "2"]).classes == ("2", "10")


def test_a_row_that_ends_before_its_label_is_skipped(tmp_path):
    header = ",".join([*(f"t{i}" for i in range(9)), "class"])
    whole = [",".join([*map(str, range(9)), label]) for label in ("up", "down") * 3]
    (tmp_path / "a.csv").write_text("\n".join([header, *whole, "1,2,3"]))
    data = open_data(tmp_path / "a.csv")
    assert (data.images.shape, data.channels) == ((6, 1, 9), 1)
    assert [(one.name, one.why) for one in data.skipped] == [("series/00006", "its label is missing")]


def test_a_csv_file_with_a_header_has_its_label_where_the_header_says(tmp_path):
    file = tmp_path / "a.csv"
    header = ",".join([*(f"t{i}" for i in range(9)), "class"])
    file.write_text("\n".join([header, *(",".join(["1", "2"] * 4 + ["3", label]) for label in ("up", "down", "up"))]))
    data = open_data(file)
    assert (data.classes, data.targets.tolist()) == (("down", "up"), [1, 0, 1])
    assert data.images[0, 0].tolist() == [1, 2, 1, 2, 1, 2, 1, 2, 3]


def test_columns_of_pixels_are_not_series(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("label," + ",".join(f"pixel{i}" for i in range(9)) + "\n1" + ",0" * 9 + "\n2" + ",5" * 9)
    with pytest.raises(DataError) as caught:
        open_data(file)
    pixels = ", ".join(f"pixel{i}" for i in range(9))
    assert str(caught.value) == f"{file}: no column names image files, of label, {pixels}; set the image column"


def test_a_ts_file_has_channels_unequal_lengths_and_missing_values(tmp_path):
    file = tmp_path / "a.ts"
    lines = ["#comment", "@problemName x", "@classLabel true a b", "@data", "1,2,3:4,5,6:a", "1,?:2,3:b", "1,2:3,4:a"]
    file.write_text("\n".join(lines))
    data = open_data(file)
    assert (data.because, data.classes, data.targets.tolist()) == ("it is a .ts file", ("a", "b"), [0, 1, 0])
    assert data.sizes[:, 0].tolist() == [3, 2, 2]
    np.testing.assert_array_equal(data.images[1], [[1, np.nan, np.nan], [2, 3, np.nan]])
    assert data.channels == 3


def test_a_ts_file_with_time_stamps_and_one_without_labels_are_errors(tmp_path):
    file = tmp_path / "a.ts"
    file.write_text("@timeStamps true\n@data\n(0,1):a")
    with pytest.raises(DataError) as caught:
        open_data(file)
    assert str(caught.value) == f"{file}: its values have time stamps, which are not read; save it without them"
    file.write_text("@classLabel false\n@data\n1,2,3")
    with pytest.raises(DataError) as caught:
        open_data(file)
    assert str(caught.value) == f"{file}: its series have no labels; add a label to each"


def test_an_arff_file_of_one_and_of_several_channels(tmp_path):
    file = tmp_path / "a.arff"
    file.write_text("@relation x\n@attribute a numeric\n@data\n1,2,3,up\n4,5,6,down\n")
    found = read_series(file)
    assert ([row.tolist() for row in found.values], found.labels) == ([[[1, 2, 3]], [[4, 5, 6]]], ["up", "down"])
    file.write_text("@data\n'1,2\\n3,4',up\n")
    found = read_series(file)
    assert (found.values[0].tolist(), found.labels) == ([[1, 2], [3, 4]], ["up"])
    file.write_text("nothing\n")
    with pytest.raises(DataError) as caught:
        read_series(file)
    assert str(caught.value) == f"{file}: has no @data; give an ARFF file"


def test_a_row_with_a_word_is_skipped_with_its_number(tmp_path):
    file = tsv(tmp_path / "a.tsv", [1, 2, 1, 2, 1, 2, 1, 2])
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:7], lines[7].replace("9", "nine")]))
    data = open_data(file)
    assert [(one.name, one.why) for one in data.skipped] == [("a.tsv:7", "has 'nine', which is no number")]
    assert len(data) == 7


def test_two_files_of_one_split_are_an_error(tmp_path):
    tsv(tmp_path / "a.tsv", [1, 2])
    tsv(tmp_path / "b.tsv", [1, 2])
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{tmp_path}: a.tsv and b.tsv are series of the same split; give one of them"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "damaged, or no .npy file of numbers; save it again with numpy.save"),
        (np.array("x"), "no series; save numbers of the shape (L,), (C, L) or (N, C, L)"),
        (np.zeros((1, 1, 1, 4)), "no series; save numbers of the shape (L,), (C, L) or (N, C, L)"),
        (np.zeros((0, 3)), "holds no values; save at least one series"),
    ],
)
def test_arrays_that_are_no_series_are_errors(tmp_path, content, why):
    file = tmp_path / "x.npy"
    file.write_bytes(content) if isinstance(content, bytes) else np.save(file, content)
    with pytest.raises(DataError) as caught:
        read_series(file)
    assert str(caught.value) == f"{file}: {why}"


def test_a_missing_and_an_empty_file_are_errors(tmp_path):
    with pytest.raises(DataError) as caught:
        read_series(tmp_path / "x.csv")
    assert str(caught.value) == (
        f"{tmp_path / 'x.csv'}: cannot be read (No such file or directory); check its path and permissions"
    )
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(DataError) as caught:
        read_series(tmp_path / "x.csv")
    assert str(caught.value) == f"{tmp_path / 'x.csv'}: holds no series; give one per row"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b,c\n1,2,3", "no column of its header is called label, class, target or y; name one so"),
        ("1,2,x", "holds no series; the first, has 'x', which is no number; give one per row"),
    ],
)
def test_tables_without_a_label_or_numbers_are_errors(tmp_path, content, why):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError) as caught:
        read_series(tmp_path / "x.csv")
    assert str(caught.value) == f"{tmp_path / 'x.csv'}: {why}"


def test_long_float_arrays_are_series_and_square_ones_are_images(tmp_path):
    random = np.random.default_rng(0)
    labels = np.arange(8) % 2
    np.savez(tmp_path / "flat.npz", x=random.random((8, 30)), y=labels)
    np.savez(tmp_path / "three.npz", x_train=random.random((8, 3, 30)), y_train=labels)
    np.savez(tmp_path / "square.npz", x=random.random((8, 9, 9)), y=labels)
    assert open_data(tmp_path / "flat.npz").images.shape == (8, 1, 30)
    three = open_data(tmp_path / "three.npz")
    assert (three.input_kind, three.channels, set(three.splits)) == ("series", 3, {"train"})
    assert three.notes == (
        "the arrays are read as series of 3 x 30, channels and values; give (N, H, W, 1) to read them as images",
    )
    assert open_data(tmp_path / "square.npz").input_kind == "image"


def test_arrays_whose_labels_do_not_match_are_an_error(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, x=np.zeros((8, 30)), y=np.zeros(7, int))
    with pytest.raises(DataError) as caught:
        open_data(file)
    assert str(caught.value) == (
        f"{file}: the series have the shape (8, 30) and labels (7,); give (N, C, L) numbers and N labels"
    )


def test_waves_are_the_same_for_a_seed_and_every_digit_has_its_template():
    series, digits = draw_waves(60, 1)
    assert series.shape == (60, 1, 40)
    assert np.bincount(digits).tolist() == [6] * len(TEMPLATES)
    assert np.array_equal(series, draw_waves(60, 1)[0])
    assert not np.array_equal(series, draw_waves(60, 2)[0])
    assert 0.05 < series.std() < 0.3

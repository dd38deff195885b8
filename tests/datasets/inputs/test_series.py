"""Series as a kind of input: padding, mask, normalisation, files of several series, copies and drawing."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from convscope.datasets.array_targets import ArrayTargets
from convscope.datasets.inputs.series import SeriesPreprocessing
from convscope.datasets.inputs.series_drawing import COLORS, draw_lines
from convscope.datasets.series_arrays import SeriesPart, series_dataset
from convscope.errors import DataError

NAN = float("nan")


def dataset(*rows):
    targets = ArrayTargets("classes", np.arange(len(rows)) % 2, ("a", "b"), [""] * len(rows))
    return series_dataset(("made", "arrays"), [SeriesPart("", [np.array(row, np.float32) for row in rows])], targets)


def preprocessing(data, size):
    stored = SeriesPreprocessing.store_arrays(data, (size,))
    return stored, SeriesPreprocessing.from_data(data, (size,), stored, np.arange(len(data)))


def test_series_of_one_length_have_no_mask_and_are_normalised_per_channel():
    stored, found = preprocessing(dataset([[1, 3], [10, 10]], [[1, 3], [10, 10]]), 2)
    assert (found.channels, found.mask, found.mean, found.std) == (2, False, (2.0, 10.0), (1.0, 1.0))
    assert found(torch.from_numpy(stored)).tolist() == [[[-1, 1], [0, 0]]] * 2


def test_shorter_series_are_padded_with_the_mean_and_a_mask():
    data = dataset([[2, 4, 6]], [[4]])
    assert data.sizes.tolist() == [[3], [1]]
    assert data.channels == 2
    assert data.notes == (
        "series of 1 to 3 values are padded to 3; a channel that says where there are values is added",
    )
    stored, found = preprocessing(data, 3)
    assert (found.mean, found.mask, found.shape) == ((4.0, 0.0), True, (2, 3))
    values, mask = found(torch.from_numpy(stored))[1]
    assert (values.tolist(), mask.tolist()) == ([0, 0, 0], [1, 0, 0])


def test_missing_values_inside_are_set_to_the_mean_and_series_without_values_are_skipped():
    data = dataset([[1, NAN, 3]], [[1, 2, 3]], [[NAN, NAN, NAN]])
    assert [(one.name, one.why) for one in data.skipped] == [("series/00002", "has no finite value")]
    assert data.notes == ("1 missing value is set to the mean; a channel that says where there are values is added",)
    stored, found = preprocessing(data, 3)
    x = found(torch.from_numpy(stored))
    assert float(x[0, 0, 1]) == 0
    assert x[0, 1].tolist() == [1, 0, 1]


def test_channels_that_differ_and_no_usable_series_are_errors():
    with pytest.raises(DataError) as caught:
        dataset([[1, 2]], [[1, 2], [3, 4]])
    assert str(caught.value) == "made: its series have 1 and 2 channels; give series of one number of channels"
    with pytest.raises(DataError) as caught:
        dataset([[NAN]])
    assert str(caught.value) == "made: no series can be used; the first has no finite value"


def test_a_file_of_several_series_is_decoded_with_their_numbers(tmp_path):
    found = SeriesPreprocessing(size=(4,), channels=1, mean=(0.0,), std=(1.0,))
    file = tmp_path / "x.npy"
    np.save(file, np.arange(10.0).reshape(2, 1, 5))
    names, decoded = zip(*found.decode_all(file), strict=True)
    assert names == (f"{file}:0", f"{file}:1")
    assert decoded[1].values.tolist() == [[5, 6, 7, 8]]
    assert (decoded[1].whole, decoded[1].visible) == ((5,), (0.0, 4.0))
    assert found.decode_all(file, any_size=True)[0][1].values.shape == (1, 5)
    with pytest.raises(DataError) as caught:
        found.decode(file)
    assert str(caught.value) == f"{file}: holds 2 series, not one; give a file of one series"


def test_files_with_other_channels_or_no_value_are_errors(tmp_path):
    found = SeriesPreprocessing(size=(4,), channels=2, mean=(0.0, 0.0), std=(1.0, 1.0), mask=True)
    file = tmp_path / "x.npy"
    np.save(file, np.zeros((2, 5)))
    with pytest.raises(DataError) as caught:
        found.decode(file)
    assert str(caught.value) == f"{file}: has 2 channels, not 1; give series like those of training"
    np.save(file, np.full(5, np.nan))
    with pytest.raises(DataError) as caught:
        found.decode(file)
    assert str(caught.value) == f"{file}: series 0 has no finite value; remove it"


def test_values_in_memory_and_a_mean_too_few_are_refused():
    found = SeriesPreprocessing(size=(4,), channels=1, mean=(0.0,), std=(1.0,))
    with pytest.raises(DataError) as caught:
        found.decode(np.zeros((4, 1)))
    assert str(caught.value) == "series: read from files only; write the values to a .npy file"
    with pytest.raises(ValidationError) as invalid:
        SeriesPreprocessing(size=(4,), channels=2, mean=(0.0,), std=(1.0,))
    assert [one["msg"] for one in invalid.value.errors()] == [
        "Value error, mean and std need one number for each of 2 channels"
    ]


def test_equal_and_rescaled_series_are_copies_and_others_are_not():
    random = np.random.default_rng(0)
    series = random.standard_normal((5, 1, 40)).astype(np.float32)
    series[3], series[4] = series[0], 3 * series[1] + 2
    found = SeriesPreprocessing.find_duplicates(series, np.arange(5))
    assert found.groups.tolist() == [0, 1, 2, 0, 1]
    assert [pair[:2] for pair in found.pairs] == [(0, 3), (1, 4)]


def test_short_series_are_copies_only_if_equal():
    series = np.array([[[0, 1, 2]], [[0, 2, 4]], [[0, 1, 2]]], np.float32)
    assert SeriesPreprocessing.find_duplicates(series, np.arange(3)).groups.tolist() == [0, 1, 0]


def test_a_series_is_drawn_from_low_to_high_with_gaps():
    drawn = draw_lines(np.array([[0.0, 0.0, NAN, 1.0, 1.0]]), (21, 41))
    inked = (drawn == COLORS[0]).all(2)
    assert drawn.shape == (21, 41, 3)
    assert inked[:, 4].nonzero()[0].tolist() == [16]
    assert inked[:, 36].nonzero()[0].tolist() == [4]
    assert not inked[:, 20].any()

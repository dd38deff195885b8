"""Predictions in one file: three formats, continued after an interruption."""

import csv
import json
import sys
from dataclasses import replace

import pytest

from convscope.api import FailedFile, Predictor, find_sources, write_predictions
from convscope.errors import ConfigError, DataError
from helpers.bundles import drawn, saved


@pytest.fixture
def predictor(tmp_path):
    """A small network."""
    saved(tmp_path / "model")
    return Predictor.open(tmp_path / "model")


@pytest.fixture
def photos(tmp_path):
    """Six images and a file that is not one."""
    for number in range(6):
        drawn(tmp_path / "photos" / f"{number}.png", seed=number)
    (tmp_path / "photos" / "3a.png").touch()
    return tmp_path / "photos"


EMPTY = "the file is empty, 0 bytes; copy it again or delete it"


def test_each_format_has_the_predictions_in_the_order_of_the_files(predictor, photos, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    expected = [one for one in predictor.stream(photos) if not isinstance(one, FailedFile)]
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        written = write_predictions(predictor, find_sources([photos]), tmp_path / "out" / name)
        assert (written.predicted, written.failed, written.resumed) == (6, 1, 0)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "a.jsonl", "a.parquet"]
    with (tmp_path / "out" / "a.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "label", "confidence", "cat", "dog", "owl"]
    assert rows[1:] == [[one.file, *map(str, one.csv_row())] for one in expected]
    lines = [json.loads(line) for line in (tmp_path / "out" / "a.jsonl").read_text().splitlines()]
    assert lines.pop(4) == {"file": str(photos / "3a.png"), "error": EMPTY}
    assert lines == [one.to_dict() for one in expected]
    table = pq.read_table(tmp_path / "out" / "a.parquet")
    assert table.column_names == ["file", "label", "confidence", "cat", "dog", "owl", "error"]
    assert table["error"].to_pylist() == [None] * 4 + [EMPTY] + [None] * 2
    assert table["label"].to_pylist() == [
        *(one.label for one in expected[:4]),
        None,
        *(one.label for one in expected[4:]),
    ]
    assert table["dog"].to_pylist()[0] == expected[0].probabilities[1]


class StoppedError(Exception):
    """Stands for a kill."""


def test_an_interrupted_call_continues_and_the_result_is_that_of_one_call(predictor, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["convscope.predictions.files"], "BATCH", 2)
    whole, parts, items_before = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl", []
    write_predictions(predictor, find_sources([photos]), whole)

    def stop(failed):
        items_before.append(failed)
        if len(items_before) == 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_predictions(predictor, find_sources([photos]), parts, on_item=stop)
    partial = tmp_path / "parts.jsonl.partial"
    with partial.open("ab") as file:
        file.write(b'{"file": "cut')
    assert not parts.exists()
    batches, items = [], []
    written = write_predictions(
        predictor, find_sources([photos]), parts, on_item=items.append, on_batch=lambda n, _s: batches.append(n)
    )
    assert (written.predicted, written.failed, written.resumed) == (6, 1, 5)
    assert sum(batches) == 2, "no image is predicted twice"
    assert [one and one.why for one in items] == [None] * 4 + [EMPTY] + [None] * 2
    first, second = ([json.loads(line) for line in path.read_text().splitlines()] for path in (whole, parts))
    assert [one["file"] for one in first] == [one["file"] for one in second]
    assert [one.get("label") for one in first] == [one.get("label") for one in second]
    assert not partial.exists()


class SeriesPredictor:
    """A predictor of files of three series, named as by `bundle.predict`; it keeps the files that it was given."""

    def __init__(self, predictor, image):
        self.digest, self.task = predictor.digest, predictor.task
        (self.prediction,) = predictor.stream(image)
        self.given = []

    def stream(self, sources, _tta_views, **_options):
        for source in sources:
            self.given.append(source.name)
            yield from (replace(self.prediction, file=f"{source}:{number}") for number in range(3))


@pytest.mark.parametrize(("stop_after", "again"), [(2, ["a.tsv", "b.tsv"]), (4, ["b.tsv"])])
def test_a_file_of_several_series_is_continued_where_it_stopped(predictor, tmp_path, stop_after, again):
    series, items = SeriesPredictor(predictor, drawn(tmp_path / "a.png")), []
    files = [tmp_path / "a.tsv", tmp_path / "b.tsv"]

    def stop(failed):
        items.append(failed)
        if len(items) == stop_after:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_predictions(series, files, tmp_path / "a.jsonl", on_item=stop)
    series.given.clear()
    written = write_predictions(series, files, tmp_path / "a.jsonl")
    assert (written.predicted, written.failed, written.resumed) == (6, 0, stop_after)
    assert series.given == again
    names = [json.loads(line)["file"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert names == [f"{file}:{number}" for file in files for number in range(3)]


def test_a_file_that_cannot_be_written_is_named(predictor, photos, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(DataError) as caught:
        write_predictions(predictor, find_sources([photos]), tmp_path / "taken" / "a.csv")
    path = tmp_path / "taken" / "a.csv"
    assert str(caught.value) == f"{path}: cannot be written (File exists); choose another folder"


def test_another_model_or_other_files_are_refused(predictor, photos, tmp_path):
    def stop(_failed):
        raise StoppedError

    path, partial = tmp_path / "a.csv", tmp_path / "a.csv.partial"
    with pytest.raises(StoppedError):
        write_predictions(predictor, find_sources([photos]), path, on_item=stop)
    with pytest.raises(DataError) as caught:
        write_predictions(predictor, find_sources([photos]), path, tta_views="shifts")
    assert str(caught.value) == f"{partial}: begun with another model or other --views; delete it to start again"
    with pytest.raises(DataError) as caught:
        write_predictions(predictor, find_sources([photos / "1.png"]), path)
    assert str(caught.value) == (
        f"{partial}: begun with other files ({photos / '0.png'}, now {photos / '1.png'}); delete it to start again"
    )
    with pytest.raises(ConfigError) as caught:
        write_predictions(predictor, find_sources([photos]), tmp_path / "a.xls")
    assert str(caught.value) == f"{tmp_path / 'a.xls'}: ends in .xls; choose one of .csv, .jsonl, .parquet"


def test_a_class_called_file_has_a_column_of_its_own():
    from convscope.predictions.table import _unique

    assert _unique(["file", "label", "file", "error", "error"]) == ["file", "label", "file_", "error", "error_"]

"""Predictions in several processes: those of one, each once, also when a process is killed."""

import os
import signal

import pytest

from convscope.api import FailedFile, Predictor, find_sources, predict, write_predictions
from convscope.errors import ConfigError, DataError
from convscope.launching.parts import PartError
from helpers.bundles import drawn, saved
from helpers.launched_runs import children

pytestmark = pytest.mark.slow
IMAGES = 200  # four batches


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    saved(folder)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Many images and a file that is not one."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for number in range(IMAGES):
        drawn(folder / f"{number:03}.png", seed=number)
    (folder / "050a.png").touch()
    return folder


@pytest.fixture(scope="module")
def alone(model, photos):
    return predict(model, photos).to_dicts()


def assert_alike(found, alone):
    """The same files in the same order, and the same numbers up to rounding."""
    assert [one["file"] for one in found] == [one["file"] for one in alone]
    assert [one.get("error") for one in found] == [one.get("error") for one in alone]
    assert [one.get("label") for one in found] == [one.get("label") for one in alone]
    for one, other in zip(found, alone, strict=True):
        assert one.get("probabilities") == pytest.approx(other.get("probabilities"), abs=1e-6)


def test_two_processes_predict_as_one_and_one_that_is_killed_is_replaced(model, photos, alone):
    found = []
    for item in Predictor.open(model, processes=2).stream(photos):
        if not found:
            os.kill(children()[1], signal.SIGKILL)
        found.append(item)
    assert_alike([item.to_dict() for item in found], alone)
    assert sum(isinstance(item, FailedFile) for item in found) == 1
    assert children() == []


class StoppedError(Exception):
    """Stands for a kill."""


def test_a_table_is_continued_after_an_interruption(model, photos, alone, tmp_path):
    predictor, named = Predictor.open(model, processes=2), []

    def stop(failed):
        named.append(failed)
        if len(named) == 70:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_predictions(predictor, find_sources([photos]), tmp_path / "a.csv", on_item=stop)
    written = write_predictions(predictor, find_sources([photos]), tmp_path / "a.csv")
    assert (written.predicted, written.failed) == (IMAGES, 1)
    assert 69 <= written.resumed <= 70
    names = [line.split(",")[0] for line in (tmp_path / "a.csv").read_text().splitlines()[1:]]
    assert names == [one["file"] for one in alone if "error" not in one]


def test_wrong_views_are_refused_before_any_process_starts(model, photos):
    with pytest.raises(ConfigError):
        Predictor.open(model, processes=2).stream(photos, "7")
    assert children() == []


def test_files_that_end_every_process_are_named(model, photos, monkeypatch):
    monkeypatch.setattr("convscope.api.predict_parts.in_order", dying)
    with pytest.raises(DataError) as raised:
        list(Predictor.open(model, processes=2).stream(photos))
    assert str(raised.value) == (
        f"{photos / '000.png'} to {photos / '062.png'}: process 1 was ended by SIGKILL each time these files were "
        "predicted; leave them out"
    )


def dying(_function, _arguments, parts, _count):
    """Stands for `in_order` whose processes end at the first part."""
    raise PartError(next(parts), "process 1 was ended by SIGKILL")
    yield

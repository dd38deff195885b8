"""Trainings of a second, in a cache of their own, with one thread."""

import pytest

from convscope.files import atomic_write
from helpers.small_runs import photos, train


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of two epochs; tests that change it take a copy."""
    path = tmp_path_factory.mktemp("finished") / "run"
    train(path, "digits", train__batch=128)
    return path


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """Sixty small photos of two classes: three steps an epoch."""
    return str(photos(tmp_path_factory.mktemp("data") / "photos", each=30))


@pytest.fixture
def no_report(monkeypatch):
    """An empty report: drawing one takes longer than such a training."""

    def write(folder, *_given):
        atomic_write(folder.report, b"")
        return folder.report

    monkeypatch.setattr("convscope.pipeline.finalize.write_report", write)
    monkeypatch.setattr("convscope.pipeline.finalize.write_first_insights", lambda *_given: None)

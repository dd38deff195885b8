"""Trainings of a second, in a cache of their own, with one thread."""

import pytest

from helpers.small_runs import leave_out_report, photos, train


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
    leave_out_report(lambda name, value: monkeypatch.setattr(f"convscope.pipeline.finalize.{name}", value))

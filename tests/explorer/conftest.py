"""Clients of the explorer, without a network connection."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from convscope.explorer import Session, application
from helpers.explorer_client import HOME, TOKEN


@pytest.fixture(scope="session")
def explored():
    """Return a function from a run folder to a client with the token."""
    with ExitStack() as opened:

        def client(path: Path) -> TestClient:
            session = Session.open(path)
            test_client = TestClient(
                application(session, TOKEN), base_url=HOME, headers={"Authorization": f"Bearer {TOKEN}"},
                raise_server_exceptions=False,
            )  # fmt: skip
            test_client.session = session
            return opened.enter_context(test_client)

        yield client


@pytest.fixture(scope="session")
def client(explored, finished, tmp_path_factory):
    """A client of a copy of the finished run of digits, for tests that do not change the run."""
    return explored(Path(shutil.copytree(finished, tmp_path_factory.mktemp("explored") / "run")))


@pytest.fixture
def own_copy(finished, tmp_path):
    """A copy of the finished run, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "run"))

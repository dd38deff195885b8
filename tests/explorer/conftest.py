"""A run behind the explorer's door, asked without a network."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from convscope.explorer import Session, application
from helpers.explorer_client import HOME, TOKEN


@pytest.fixture(scope="session")
def explored():
    """Return a function from a run's folder to a client that knows the token."""
    with ExitStack() as opened:

        def client(path: Path) -> TestClient:
            session = Session.open(path)
            request = TestClient(
                application(session, TOKEN), base_url=HOME, headers={"Authorization": f"Bearer {TOKEN}"},
                raise_server_exceptions=False,
            )  # fmt: skip
            request.session = session
            return opened.enter_context(request)

        yield client


@pytest.fixture(scope="session")
def client(explored, finished, tmp_path_factory):
    """A client of a copy of the finished run of digits, for tests that do not change the run itself."""
    return explored(Path(shutil.copytree(finished, tmp_path_factory.mktemp("explored") / "run")))


@pytest.fixture
def own_copy(finished, tmp_path):
    """The finished run, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "run"))

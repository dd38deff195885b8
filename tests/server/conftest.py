"""Clients of the prediction server, without a network connection."""

from contextlib import ExitStack

import pytest
from fastapi.testclient import TestClient

from convscope.server.app import application
from convscope.server.model_store import ModelStore
from convscope.server.settings import ServerSettings
from helpers.bundles import saved

HOME = "http://127.0.0.1:8080"


@pytest.fixture(scope="session")
def served():
    """Return a function from model folders and settings to a client of their server."""
    with ExitStack() as opened:

        def client(*paths, **settings) -> TestClient:
            store = ModelStore(paths, ServerSettings(**settings))
            app = application(store, store.settings.host, store.settings.port)
            test_client = TestClient(app, base_url=HOME, raise_server_exceptions=False)
            test_client.store = store
            return opened.enter_context(test_client)

        yield client


@pytest.fixture(scope="session")
def animals(tmp_path_factory):
    """The folder of a small saved model of three classes."""
    folder = tmp_path_factory.mktemp("served") / "animals"
    saved(folder)
    return folder


@pytest.fixture(scope="session")
def client(served, animals):
    """A client of a server of one model."""
    return served(animals)

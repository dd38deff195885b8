"""A trained network, its explorer, and a real browser; skipped with a reason if there is none."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from helpers.browser import chromium

ALLOWED = ("Failed to load resource",)  # logged by the browser for an expected error response


class Served:
    """An explorer in a process of its own, started by the command."""

    def __init__(self, run: Path) -> None:
        command = [sys.executable, "-m", "convscope", "explore", str(run), "--port", "0", "--no-open"]
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | threads
        )
        assert self.process.stdout is not None
        message = ""
        for line in self.process.stdout:
            message += line
            if "http://" in line:
                self.link = line[line.index("http://") :].strip()
                return
        raise AssertionError(f"the explorer did not start: {message}")

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small LeNet on scikit-learn's handwritten digits."""
    import convscope as cs

    out = tmp_path_factory.mktemp("explored") / "digits"
    cs.train("digits", out=out, epochs=6, settings={"model.name": "lenet"})
    return out


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], Served]]:
    """Return a function that starts the explorer of a run; all are stopped at the end."""
    started: list[Served] = []

    def start(run: Path) -> Served:
        started.append(Served(run))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="session")
def explorer(trained: Path, serve: Callable[[Path], Served]) -> Served:
    return serve(trained)


@pytest.fixture(scope="module")
def browser():
    """Chromium, closed after each file."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def new_page(browser):
    """Return a function that opens a page in its own profile and checks its requests and console messages."""
    contexts, requests, complaints = [], [], []

    def opened(**settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [url for url in requests if not is_loopback(url)]
    assert not [line for line in complaints if not line.startswith(ALLOWED)]


@pytest.fixture
def page(new_page, explorer: Served):
    """The explorer's page, open on the network view."""
    page = new_page()
    page.goto(explorer.link)
    page.wait_for_selector(".stage[aria-pressed=true]")
    return page


def is_loopback(url: str) -> bool:
    """Whether a URL is on loopback."""
    parts = urlsplit(url)
    return parts.scheme in ("blob", "data") or parts.hostname == "127.0.0.1"

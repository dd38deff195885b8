"""Fixtures that the tests of more than one room use."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch

from helpers.command_line import convscope  # noqa: F401
from helpers.narrow_networks import LARGE
from helpers.run_fixtures import few, finished, no_report  # noqa: F401

torch.set_num_threads(1)  # pytest runs as many processes as there are cores; threads on top only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same for the processes that tests start

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background; the processes that tests start inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

ABOUT_NETWORKS = ("tests/models/", "tests/contracts/", "tests/explainers/arithmetic/")


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of large networks slow: the quick suite runs them with small ones."""
    for item in items:
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        large = any(isinstance(value, str) and value in LARGE for value in values)
        if large and any(room in item.path.as_posix() for room in ABOUT_NETWORKS):
            item.add_marker(pytest.mark.slow)


SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """No test reads or fills the user's cache, or downloads weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSCOPE_OFFLINE", "1")
        patch.setenv("CONVSCOPE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True)
def _alike(_own_cache) -> None:
    """Begin alike whatever ran before: a training leaves torch's switches as it needs them."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.set_deterministic_debug_mode("default")  # use_deterministic_algorithms would import the compiler


@pytest.fixture(scope="session")
def shared_data():
    """Return a function from an archive's name to the folder it lies in; skips where the archive is absent."""

    def unpacked(name: str) -> Path:
        if not (SHARED / "unpack").exists():
            pytest.skip(f"needs the real data set {name}, which lies beside the project only on the team's machines")
        shown = subprocess.run([str(SHARED / "unpack"), name], capture_output=True, text=True, check=True)
        return Path(shown.stdout.strip().splitlines()[-1]) / name

    return unpacked

"""Open what is served: folders of runs and of saved models need PyTorch, exported files do not."""

from importlib import import_module
from pathlib import Path
from typing import Any

from convscope.devices import default_threads, use_cores
from convscope.errors import ConvscopeError
from convscope.exported import is_exported
from convscope.server.served import Served, version_of
from convscope.server.settings import ServerSettings


def open_served(path: Path, name: str, settings: ServerSettings) -> Served:
    """Open the network of a run or a saved model, or an exported file, under a name.

    Raises:
        RunError: there is no such run, or no network in it yet.
        ModelError: its network cannot be opened, or is being replaced.
        ConfigError: its inputs are no images.
    """
    cores = max(1, default_threads() // settings.workers)
    if is_exported(path):
        from convscope.server.served_file import ServedFile

        return ServedFile.open(path, name, cores)
    use_cores(cores)
    found: Served = _folders().ServedModel.open(path, name, settings.runtime, cores)
    return found


def check_served(path: Path) -> None:
    """Check that a path can be served, before processes are started for it.

    Raises:
        RunError, ModelError, ConfigError: see `open_served`.
    """
    if is_exported(path):
        from convscope.exported import open_exported

        open_exported(path, 1)
    else:
        _folders().check_folder(path)


def served_version(path: Path) -> str | None:
    """Return the version of what is in a path now; None if there is nothing to serve."""
    if is_exported(path):
        return version_of([path])
    try:
        found: str | None = _folders().version_in(path)
    except ConvscopeError:
        return None
    return found


def _folders() -> Any:
    """The module that opens folders, which imports PyTorch."""
    return import_module("convscope.server.served_model")

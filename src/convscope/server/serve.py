"""Serve models until SIGTERM or Ctrl-C."""

from collections.abc import Callable, Sequence
from pathlib import Path

from convscope.server.process import BACKLOG, serve_socket
from convscope.server.settings import ServerSettings
from convscope.server.workers import serve_workers
from convscope.web.listening import link_host, listening


def serve(paths: Sequence[Path], settings: ServerSettings, on_ready: Callable[[str, list[str]], None]) -> None:
    """Serve models; return when the server has ended and every request is answered.

    Args:
        paths: folders of runs or saved models.
        settings: settings of the server.
        on_ready: called with the address and the names of the models once requests are accepted.

    Raises:
        RunError, ModelError: a model cannot be opened.
        ConfigError: the address cannot be bound.
    """
    run = serve_socket if settings.workers == 1 else serve_workers
    with listening(settings.host, (settings.port,), settings.port, BACKLOG) as listener:
        link = f"http://{link_host(settings.host)}:{listener.getsockname()[1]}"
        run(listener, paths, settings, lambda names: on_ready(link, names))

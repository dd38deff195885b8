"""The command line, run in the process of the tests."""

import signal
import sys

import pytest

from convscope.cli.main import main


@pytest.fixture
def convscope(monkeypatch, capsys):
    """Return a function from arguments to (exit code, output, error output)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convscope", *map(str, arguments)])
        before = signal.getsignal(signal.SIGTERM)
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        finally:
            signal.signal(signal.SIGTERM, before)
        return (code, *capsys.readouterr())

    return run

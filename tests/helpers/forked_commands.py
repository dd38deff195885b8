"""The command line in real processes that start at once: forks of a server that has imported PyTorch already."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from helpers.small_runs import leave_out_report

LOADED = ["pytest", "convscope.cli.main", "convscope.api", "torch._dynamo", "sklearn.metrics"]
"""What a training imports; a fork has it already."""


def begin(arguments: Sequence[object], errors: Path, report: bool = False) -> BaseProcess:
    """Start ``convscope ARGUMENTS``; what it prints on stderr is added to the file `errors`.

    The server starts with the first command. It has one thread: forks of more threads of PyTorch wait for ever.

    Args:
        arguments: of the command line.
        errors: a file, made where it is missing.
        report: whether a training draws its report, which takes longer than a small training.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    given = ([str(one) for one in arguments], str(errors), report, dict(os.environ))
    process = context.Process(target=_command, args=given)
    try:
        process.start()
    finally:
        os.environ.pop("OMP_NUM_THREADS") if before is None else os.environ.update(OMP_NUM_THREADS=before)
    return process


def _command(arguments: list[str], errors: str, report: bool, environment: dict[str, str]) -> None:
    from convscope.cli.main import main
    from convscope.pipeline import finalize

    if not report:
        leave_out_report(lambda name, value: setattr(finalize, name, value))
    os.environ.update(environment)  # that of the test, not of the server's start
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    sys.argv = ["convscope", *arguments]
    main()

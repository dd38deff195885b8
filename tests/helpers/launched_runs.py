"""Runs in two processes, some of which are killed or stopped while they train."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convscope.runs.events import Event
from convscope.training import Step


def children() -> list[int]:
    """The processes that this process has started with `launching`, in the order of their ranks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            started = b"convscope.launching.child" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and started:
            found.append(int(folder.name))
    return sorted(found)


def with_ends(events: Iterator[Event], ends: dict[int, tuple[int, signal.Signals]]) -> list[Any]:
    """All events; after the n-th step in all the process of the rank ``ends[n][0]`` gets the signal ``ends[n][1]``."""
    found, steps = [], 0
    for event in events:
        found.append(event)
        steps += isinstance(event, Step)
        if isinstance(event, Step) and steps in ends:
            rank, number = ends[steps]
            os.kill(children()[rank], number)
    return found

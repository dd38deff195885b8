"""Training in one process, in several that are started here, or in those that the user's launcher has started."""

import os
import socket
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

from convscope.errors import ConfigError, TrainingError
from convscope.files import append_line
from convscope.launching.child import Parent
from convscope.launching.children import SILENCE, Children, Ended
from convscope.launching.group import EXCHANGE, PREPARING, joined
from convscope.launching.places import Place, find_place
from convscope.pipeline import preparing
from convscope.pipeline import resuming as resuming_alone
from convscope.pipeline import training as training_alone
from convscope.progress import Progress
from convscope.runs.events import DataLoaded, Event, PlanReady, as_json
from convscope.runs.folder import RunFolder
from convscope.runs.overrides import Overrides, lay
from convscope.runs.parse import check_overrides
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.training import Note, load

RUN = "run"  # the key of the run's folder in the store
LOOPBACK = ("lo", "lo0")  # names of the interface of a machine to itself, on Linux and macOS


def training(
    source: str,
    out: Path,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
    started: float | None = None,
) -> Generator[Event]:
    """Train a network as `pipeline.training` does, with the processes of the settings or of the user's launcher.

    Only the first process of the user's launcher yields events; the others yield none.

    Raises:
        ConvscopeError: see its subclasses.
    """
    started = time.monotonic() if started is None else started
    overrides, place = as_overrides(settings), find_place(os.environ)
    if place is not None:
        requested = lay(overrides, _of_launcher(overrides, place))
        prepare = partial(preparing, source, out, requested, on_progress, started, place.local_count)
        yield from _in_place(place, out, started, prepare)
        return
    count = check_overrides(overrides).train.processes
    if count == 1:
        yield from training_alone(source, out, overrides, on_progress, started)
        return
    yield from preparing(source, out, overrides, on_progress, started, count)
    yield from together(Launch(out, count, started), shows_data=False)


def resuming(path: Path, on_progress: Progress | None = None, check_data: bool = False) -> Generator[Event]:
    """Resume a run as `pipeline.resuming` does, with as many processes as it was started with.

    Raises:
        RunError: there is no such run, or it was stopped before training started.
    """
    started, place = time.monotonic(), find_place(os.environ)
    if place is not None:
        yield from _in_place(place, path, started, None, check_data)
        return
    count = RunFolder.open(path).recipe().train.processes
    if count == 1:
        yield from resuming_alone(path, on_progress, check_data)
        return
    yield from together(Launch(path, count, started, check_data))


def _of_launcher(overrides: Overrides, place: Place) -> Overrides:
    """Return the number of processes that the launcher has started, as a setting."""
    requested = check_overrides(overrides).train.processes
    if requested not in (1, place.count):
        raise ConfigError(
            f"train.processes is {requested}, but {place.started_by} has started {place.count} processes; "
            "remove the setting"
        )
    return Overrides.of({"train": {"processes": place.count}}, place.started_by)


def _in_place(
    place: Place,
    run: Path,
    started: float,
    prepare: Callable[[], Generator[Event]] | None,
    check_data: bool = False,
) -> Generator[Event]:
    """Train as one of the processes that a launcher has started: the first prepares the run while the others wait."""
    keeps = place.rank == 0 and not place.has_store
    master = TCPStore(place.address, place.port, place.count, keeps, EXCHANGE, wait_for_workers=False)
    master.set_timeout(PREPARING)
    store = PrefixStore(f"attempt {place.attempt}", master)  # the addresses of earlier attempts are dead
    if place.rank == 0:
        try:
            if prepare is not None and not (place.attempt and RunFolder(run).recipe_file.exists()):
                yield from prepare()
        except BaseException:
            store.set(RUN, "")
            raise
        store.set(RUN, str(run.resolve()))
    else:
        run = Path(store.get(RUN).decode())
        if run == Path():
            sys.exit(2)  # the first process says why
    with joined(store, place.rank, place.count, place.local_rank, run) as processes:
        for event in resuming_alone(run, None, check_data, processes, started):
            if not (prepare is not None and isinstance(event, DataLoaded)):
                yield event


@dataclass(frozen=True)
class Launch:
    """What to train with how many processes.

    `silence` is the time in seconds without a sign of life after which a process counts as stopped.
    """

    run: Path
    count: int
    started: float
    check_data: bool = False
    silence: float = SILENCE


def together(launch: Launch, shows_data: bool = True) -> Generator[Event]:
    """Start processes that resume a run, and start all again from the last checkpoint when one of them ends.

    The events of reading the data and of the plan are yielded once, the former only if `shows_data`.

    Raises:
        TrainingError: they ended too often without completing an epoch.
        ConvscopeError: raised in one of the processes.
    """
    folder = RunFolder.open(launch.run)
    restarts, shown = folder.recipe().train.restarts, set[type](() if shows_data else (DataLoaded,))
    failures, reached = 0, -1
    while True:
        ended = yield from _attempt(launch, shown)
        if ended is None:
            return
        if ended.error is not None:
            raise ended.error
        epoch, step = _last_state(folder)
        failures = 1 if epoch > reached else failures + 1
        reached = epoch
        if failures > restarts:
            raise TrainingError(
                f"{launch.run}: {ended.reason}; gave up after {failures} attempt{'' if failures == 1 else 's'} without "
                "a completed epoch; "
                f"continue with: convscope train --resume {launch.run}"
            )
        note = Note(epoch, step, f"{ended.reason}; all processes were started again after epoch {epoch}")
        append_line(folder.events_file, as_json(note))
        yield note


def _attempt(launch: Launch, shown: set[type]) -> Generator[Event, None, Ended | None]:
    """Train until all processes have finished, or return the end of one."""
    store = TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    arguments = [(launch, rank, store.port) for rank in range(launch.count)]
    with Children(train_part, arguments, _own_machine(), launch.silence) as children:
        while children.running:
            for _, message in children.wait():
                if isinstance(message, Ended):
                    return children.causes(message)
                if not (isinstance(message, DataLoaded | PlanReady) and type(message) in shown):
                    yield message
                shown.add(type(message))
    return None


def train_part(parent: Parent, launch: Launch, rank: int, port: int) -> None:
    """Train in one of the processes; the events go to the parent."""
    store = TCPStore("127.0.0.1", port, is_master=False)
    with joined(store, rank, launch.count, rank, launch.run) as processes:
        for event in resuming_alone(launch.run, None, launch.check_data, processes, launch.started):
            parent.send(event)


def _own_machine() -> dict[str, str]:
    """Return an environment in which gloo uses the machine's interface to itself, whatever its name resolves to."""
    known = {name for _, name in socket.if_nameindex()}
    name = next((name for name in LOOPBACK if name in known), None)
    found = {"TORCH_CPP_LOG_LEVEL": "ERROR"}  # the reason for an end is reported once, by the parent
    return found if name is None else {"GLOO_SOCKET_IFNAME": name, **found}


def _last_state(folder: RunFolder) -> tuple[int, int]:
    """Return the epoch and the step of the last checkpoint; 0 where there is none."""
    if not folder.has_checkpoint():
        return 0, 0
    content = load(folder.checkpoint)
    return int(content["epoch"]), int(content["step"])

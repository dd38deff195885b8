"""Training end to end: from a data source to a run folder with a network, its scores and a report."""

import time
from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from convscope.datasets import Dataset
from convscope.devices import fastest_threads, requested_device, threads_each, use_cores
from convscope.energy import EnergyMeter
from convscope.errors import RunError
from convscope.files import append_line, atomic_write
from convscope.pipeline.build import build_session
from convscope.pipeline.checkpointing import CheckpointWriter
from convscope.pipeline.epochs import run_epochs
from convscope.pipeline.finalize import finalize
from convscope.pipeline.lr_search import find_learning_rate
from convscope.pipeline.monitor import Monitor
from convscope.pipeline.probes import Probes
from convscope.pipeline.recording import forget_later, load_checkpoint, recorded_epochs
from convscope.pipeline.resolve import Draft, draft_recipe, resolve_recipe
from convscope.pipeline.session import TrainingSession
from convscope.pipeline.start_choice import choose_start, downloaded, from_scratch
from convscope.pipeline.start_race import Start, race
from convscope.pipeline.transfer_plan import (
    finish_transfer,
    transfer_event,
    validate_transfer,
    write_transfer_plan,
)
from convscope.progress import Progress
from convscope.runs.content_digests import changed_content
from convscope.runs.data_record import write_changes, write_data
from convscope.runs.environment import environment_changes, write_environment
from convscope.runs.events import Event, PlanReady, as_json
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData, open_source, prepare, reload
from convscope.runs.overrides import Overrides, lay
from convscope.runs.parse import check_overrides
from convscope.runs.pretrained import PretrainedSource, find_pretrained
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import Settings, annotate, as_overrides
from convscope.training import ONE_PROCESS, Note, Processes


def training(
    source: str,
    out: Path,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
    started: float | None = None,
) -> Generator[Event]:
    """Train a network and yield events.

    Args:
        source: a folder, a table or a built-in name.
        out: the run folder to create.
        settings: nested, by dotted names, or the path of a recipe.toml; other settings are chosen from the data.
        on_progress: called with (images decoded, number of images) before training.
        started: the start of the run and its budget, by `time.monotonic`; None: now.

    Raises:
        ConvscopeError: see its subclasses.
    """
    started, energy = time.monotonic() if started is None else started, EnergyMeter()
    with RunFolder.create(out) as folder:
        ready = yield from _prepare(folder, source, settings, on_progress, started)
        ready.session.energy = energy
        yield from _run_to_end(folder, ready.prepared, ready.session, started, ready.notes)


def preparing(
    source: str,
    out: Path,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
    started: float | None = None,
    share: int = 1,
) -> Generator[Event]:
    """Start a run as `training` does, up to its first step, and yield events; several processes then resume it.

    `share` of them have the cores of this machine, each as many.
    """
    started = time.monotonic() if started is None else started
    with RunFolder.create(out) as folder:
        ready = yield from _prepare(folder, source, settings, on_progress, started, threads_each(share))
        for note in ready.notes:
            append_line(folder.events_file, as_json(note))
            yield note


@dataclass(frozen=True, eq=False)
class _Ready:
    """A run whose settings are resolved and written."""

    prepared: PreparedData
    session: TrainingSession
    notes: list[Note]


def _prepare(
    folder: RunFolder, source: str, settings: Settings | None, on_progress: Progress | None, started: float,
    threads: int = 0,
) -> Generator[Event, None, _Ready]:  # fmt: skip
    """Read the data, resolve the settings, build the network, and write what the run folder has before training."""
    overrides = lay(as_overrides(settings), Overrides.of({"data": {"source": source}}, "DATA"))
    requested = check_overrides(overrides)
    validate_transfer(requested.transfer, overrides)
    device = requested_device(requested.train.device)
    target_kind = requested.task_class.target_kind if "task" in overrides else None
    found = open_source(requested.data, target_kind, requested.input)
    choice = choose_start(overrides, found)
    if choice.download:
        yield Note(0, 0, choice.note)
        choice = downloaded(choice)
    if requested.train.budget and device.type == "cpu" and not requested.train.threads:
        threads = threads or use_cores(fastest_threads())  # also for what is measured before the session is built
    draft, prepared = _draft(choice.overrides, found, device, on_progress, time.monotonic() - started)
    yield prepared.loaded_event(draft.recipe.task)
    start, sentence = Start(draft, prepared, resolve_recipe(draft, prepared, device)), choice.note
    if choice.automatic:
        scratch = partial(_from_scratch, choice.overrides, found, device)
        start, sentence = race(start, scratch, device, started, threads)
    draft, prepared, resolved = start.draft, start.prepared, start.resolved
    recipe, note = find_learning_rate(folder, prepared, resolved.recipe)
    session = build_session(prepared, recipe, started, draft.origin, threads)
    write_data(folder, prepared, recipe.task)
    write_environment(folder, device)
    if draft.origin:
        write_transfer_plan(folder, session, resolved.plan_reason)
    sources = resolved.changed(recipe, "learning-rate range test").sources
    atomic_write(folder.recipe_file, annotate(recipe.to_toml(), sources).encode())
    if draft.origin:
        yield transfer_event(session, resolved.plan_reason)
    start_notes = [Note(0, 0, sentence)] if sentence else []
    notes = [*start_notes, *(one for one in (note, _late_start(session)) if one)]
    return _Ready(prepared, session, notes)


def _draft(
    overrides: Overrides,
    found: Dataset,
    device: torch.device,
    on_progress: Progress | None = None,
    spent: float = 0.0,
) -> tuple[Draft, PreparedData]:
    """Return the settings determined before decoding, and the decoded images."""
    draft = draft_recipe(overrides, found, device, spent)
    prepared = prepare(found, draft.recipe.data, draft.recipe.seed, on_progress)
    return draft, draft.origin.with_normalisation(prepared) if draft.origin else prepared


def _from_scratch(overrides: Overrides, found: Dataset, device: torch.device) -> Start:
    draft, prepared = _draft(from_scratch(overrides), found, device)
    return Start(draft, prepared, resolve_recipe(draft, prepared, device))


def resuming(
    path: Path,
    on_progress: Progress | None = None,
    check_data: bool = False,
    processes: Processes = ONE_PROCESS,
    started: float | None = None,
) -> Generator[Event]:
    """Resume a run; on the same machine and versions it ends with the same weights, to the bit, as without a stop.

    Args:
        path: the run's folder.
        on_progress: called with (images decoded, number of images) before training.
        check_data: compare the content of all files with that at the start of the run, instead of that of a sample.
        processes: that train together and all call this; only the first writes and yields events.
        started: see `training`.

    Raises:
        RunError: there is no such run, or it was stopped before training started.
    """
    started, energy = time.monotonic() if started is None else started, EnergyMeter()
    energy.processes = processes.count
    folder = RunFolder.open(path)
    with folder.locked() if processes.is_first else nullcontext():
        prepared = reload(folder, on_progress=on_progress)
        recipe = folder.recipe()
        if processes.is_first:
            yield prepared.loaded_event(recipe.task)
        restart = recipe.transfer.checkpoint and not folder.has_checkpoint()
        origin = _origin(recipe) if restart else None
        session = build_session(prepared, recipe, started, origin, folder.environment()["threads"], processes)
        if recipe.transfer.checkpoint:
            session.config = session.config.model_copy(update={"origin": folder.transfer()["origin"]})
        session.energy = energy
        notes = load_checkpoint(folder, session)
        _align(session)
        if not processes.is_first:
            yield from ()
            for _ in run_epochs(session):
                pass
            return
        forget_later(folder, session)
        notes += _changes_since_start(folder, prepared, session, check_data)
        yield from _run_to_end(folder, prepared, session, started, notes)


def _origin(recipe: Recipe) -> PretrainedSource:
    """Return the weights that a recipe names; those of a run may be the encoder of the recipe's network."""
    checkpoint = recipe.transfer.checkpoint
    return find_pretrained(checkpoint, None if Path(checkpoint).is_dir() else recipe.model.name)


def _align(session: TrainingSession) -> None:
    """Give all processes the state of the first.

    Raises:
        RunError: they read other images or another checkpoint.
    """
    state, processes = session.state, session.state.processes
    if not processes.all_equal((session.data_fingerprint, state.epoch, state.step)):
        raise RunError(
            f"process {processes.rank}: the processes read different images or checkpoints; give all the same data and "
            "the same run folder, on a disk that all machines share"
        )
    average = [*state.average.module.state_dict().values()] if state.average else []
    processes.copy_from_first([*state.model.state_dict().values(), *average])


def _run_to_end(
    folder: RunFolder, prepared: PreparedData, session: TrainingSession, started: float, notes: list[Note]
) -> Generator[Event]:
    """Train to the end, then evaluate and write the report."""
    first = session.state.epoch
    if session.state.device.type == "cuda":
        session.energy.watch_card(str(torch.cuda.get_device_properties(session.state.device).uuid))
    yield PlanReady(session.recipe, folder.path, session.config.num_parameters, len(session.train), first)
    for note in notes:
        append_line(folder.events_file, as_json(note))
        yield note
    probes = Probes.choose(folder.probes, prepared, session.state.model, session.recipe.train.probes)
    writer = CheckpointWriter(folder, session, probes)
    monitor = Monitor(folder, prepared, session)
    yield from recorded_epochs(folder, session, writer, monitor)
    for note in finish_transfer(folder, session):
        append_line(folder.events_file, as_json(note))
        yield note
    yield finalize(folder, prepared, session, first, started)


def _late_start(session: TrainingSession) -> Note | None:
    """Return a note where a budget is used up before training starts."""
    clock = session.clock
    if clock is None or clock() < 1:
        return None
    used = f"{clock.spent:.1f} s were used before the first step and {clock.reserve:.1f} s are reserved for the report"
    return Note(0, 0, f"train.budget is {clock.seconds:g} s, but {used}: training is as short as possible; increase it")


def _changes_since_start(
    folder: RunFolder, prepared: PreparedData, session: TrainingSession, check_data: bool
) -> list[Note]:
    """Return notes on what a resumed run depends on and is not as it was when the run started."""
    environment = environment_changes(folder, requested_device(session.recipe.train.device))
    sentences = [f"resumed with {environment}: the result may differ from that without a stop"] if environment else []
    content = changed_content(prepared.dataset, folder.data()["content"], check_data)
    saved, count = session.recipe.train.processes, session.state.processes.count
    if saved != count:
        sentences.append(f"resumed with {count} processes instead of {saved}: the result may differ in its last digits")
    sentences += [*prepared.notes, *([content] if content else [])]
    write_changes(folder, sentences)
    return [Note(session.state.epoch, session.state.step, sentence) for sentence in sentences]

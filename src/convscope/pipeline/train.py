"""Training, end to end: what the user named becomes a run folder with a network, its scores and a report."""

import time
import warnings
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from convscope.devices import chosen_device
from convscope.files import append_line, write_whole
from convscope.pipeline.build import begin
from convscope.pipeline.checkpointing import Keeper
from convscope.pipeline.defaults import defaults_for, network_for, size_for
from convscope.pipeline.epochs import epochs
from convscope.pipeline.finalize import conclude
from convscope.pipeline.lr_search import with_rate_found
from convscope.pipeline.network import fitting, network, resolved, task_for
from convscope.pipeline.probes import Probes
from convscope.pipeline.session import Trainee
from convscope.pipeline.transfer_plan import adopted, begun_from, refuse_misfits, settle, with_plan, write_adopted
from convscope.progress import Progress
from convscope.runs.environment import write_environment
from convscope.runs.events import Event, Planned, as_json
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import Prepared, open_source, prepare, prepare_again, write_data
from convscope.runs.overrides import Said, complete, merge, over
from convscope.runs.pretrained import find_origin
from convscope.tasks import TASKS
from convscope.training import Epoch, Note, load

PLACE = "settings"  # in messages on what was said by flags or arguments


def training(
    source: str, out: Path, said: Said, on_progress: Progress | None = None, began: float | None = None
) -> Generator[Event]:
    """Train a network and yield what happens.

    Args:
        source: a folder, a table or a built-in's name.
        out: the run folder to make.
        said: settings that the user gave, nested; everything else is chosen from the data.
        on_progress: called with (images decoded, images in all) before training.
        began: when the time of a budget and of the run started, by `time.monotonic`; None: now.

    Raises:
        ConvscopeError: as its subclasses say.
    """
    began = time.monotonic() if began is None else began
    first = complete(merge(said, {"data": {"source": source}}), PLACE)
    device = chosen_device(first.train.device)
    with RunFolder.making(out) as folder:
        found = open_source(first.data, first.kind.takes if "task" in said else None)
        task = first.task if "task" in said else task_of_kind(found.kind)
        refuse_misfits(first.transfer, said)
        origin = begun_from(first.transfer, said)
        below, above = origin.settings(found) if origin else (network_for(found, task, said), {})
        said = merge(below, said, above)
        size = size_for(found, device, complete(said, PLACE).model.name)
        said = merge(size, said, {"task": task, "data": {"source": found.source}})
        seen = complete(said, PLACE)
        bare = network(seen, task_for(seen, found, found.targets))  # refused before anything is decoded
        if origin:
            fitting(bare, origin, seen.transfer.replace_fc)
        prepared = prepare(found, seen.data, seen.seed, on_progress)
        if origin:
            prepared = origin.normalised(prepared)
        yield prepared.found()
        if origin:
            said, why = with_plan(said, prepared, seen, bare)
        else:
            said = over(defaults_for(prepared, seen, device), said)
        recipe = complete(said, PLACE)
        recipe = resolved(recipe, task_for(recipe, prepared.dataset, prepared.dataset.targets))
        recipe, note = with_rate_found(folder, prepared, recipe)
        trainee = begin(prepared, recipe, began, origin)
        write_data(folder, prepared)
        write_environment(folder, device)
        if origin:
            write_adopted(folder, trainee, why)
        write_whole(folder.recipe_file, recipe.to_toml().encode())
        if origin:
            yield adopted(trainee, why)
        yield from _lived(folder, prepared, trainee, began, [note] if note else [])


def resuming(path: Path, on_progress: Progress | None = None) -> Generator[Event]:
    """Go on with a run that was stopped; on the same machine and versions it ends with the same weights to the bit.

    Raises:
        RunError: when there is no such run, or it was stopped before it had begun to train.
    """
    began = time.monotonic()
    folder = RunFolder.open(path)
    with folder.locked():
        prepared = prepare_again(folder, on_progress=on_progress)
        yield prepared.found()
        recipe = folder.recipe()
        anew = recipe.transfer.weights and not folder.has_checkpoint()
        origin = find_origin(recipe.transfer.weights, recipe.model.name) if anew else None
        trainee = begin(prepared, recipe, began, origin)
        if recipe.transfer.weights:
            trainee.config = trainee.config.model_copy(update={"origin": folder.transfer()["origin"]})
        yield from _lived(folder, prepared, trainee, began, _go_on(folder, trainee))


def _lived(
    folder: RunFolder, prepared: Prepared, trainee: Trainee, began: float, notes: list[Note]
) -> Generator[Event]:
    """Train to the end, and conclude."""
    first = trainee.state.epoch
    yield Planned(trainee.recipe, folder.path, trainee.config.weights, len(trainee.train), first)
    for note in notes:
        append_line(folder.events_file, as_json(note))
        yield note
    probes = Probes.chosen(folder.probes, prepared, trainee.state.model, trainee.recipe.train.probes)
    keeper = Keeper(folder, trainee)
    with closing(epochs(trainee)) as events:
        for event in events:
            if isinstance(event, Epoch):
                keeper.see(event)
                if probes and not keeper.waiting and (trouble := probes.keep(trainee.state.result, event.epoch)):
                    yield Note(event.epoch, event.step, trouble)
            else:
                append_line(folder.events_file, as_json(event))
            yield event
    keeper.finish()
    for note in settle(folder, trainee):
        append_line(folder.events_file, as_json(note))
        yield note
    yield conclude(folder, prepared, trainee, first, began)


def _go_on(folder: RunFolder, trainee: Trainee) -> list[Note]:
    """Take up the last checkpoint where there is one; what is amiss with it becomes notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if folder.has_checkpoint():
            trainee.state.load_state_dict(load(folder.checkpoint))
    folder.forget_after(trainee.state.epoch)
    return [Note(trainee.state.epoch, trainee.state.step, str(warning.message)) for warning in caught]


def task_of_kind(kind: str) -> str:
    """The task that targets of a kind are for: the first of those that take them."""
    return next(name for name, task in TASKS.items() if task.takes == kind)

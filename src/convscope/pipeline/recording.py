"""Record a training in its run folder: events as they come, the state after each epoch."""

import warnings
from collections.abc import Generator
from contextlib import closing

from convscope.errors import TrainingError
from convscope.explainers import forget_snapshots
from convscope.files import append_line
from convscope.pipeline.checkpointing import CheckpointWriter
from convscope.pipeline.epochs import run_epochs
from convscope.pipeline.monitor import Monitor
from convscope.pipeline.session import TrainingSession
from convscope.runs.events import Event, TrainingFailed, as_json
from convscope.runs.folder import RunFolder
from convscope.training import Epoch, Note, Step, load


def recorded_epochs(
    folder: RunFolder, session: TrainingSession, writer: CheckpointWriter, monitor: Monitor, until: int | None = None
) -> Generator[Event]:
    """Train epoch by epoch; each event is recorded before it is yielded, and after an `Epoch` the state is saved.

    Args:
        folder: the run.
        session: its training.
        writer: saves the state.
        monitor: measures the layers.
        until: the number of epochs after which to stop; None: train to the end.
    """
    with closing(_failures_recorded(folder, session)) as events:
        for event in events:
            found: list[Event] = []
            if isinstance(event, Epoch):
                session.energy.keep_up()
                found += monitor.on_epoch(event)
                for one in found:  # before the state is saved, so that a resumed run has them too
                    append_line(folder.events_file, as_json(one))
                found += writer.on_epoch(event)
            else:
                append_line(folder.events_file, as_json(event))
            yield event
            yield from found
            if isinstance(event, Epoch) and event.epoch == until:
                break
    yield from writer.finish()


def load_checkpoint(folder: RunFolder, session: TrainingSession) -> list[Note]:
    """Load the last checkpoint, if any; warnings about it are returned as notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if folder.has_checkpoint():
            session.state.load_state_dict(load(folder.checkpoint))
    return [Note(session.state.epoch, session.state.step, str(warning.message)) for warning in caught]


def forget_later(folder: RunFolder, session: TrainingSession) -> None:
    """Delete what a session recorded after its last checkpoint."""
    folder.forget_after(session.state.epoch)
    forget_snapshots(folder.probes, session.state.epoch)


def _failures_recorded(folder: RunFolder, session: TrainingSession) -> Generator[Step | Epoch | Note]:
    """Run the epochs; an error that ends them is recorded for `convscope diagnose`."""
    try:
        yield from run_epochs(session)
    except TrainingError as error:
        append_line(folder.events_file, as_json(TrainingFailed(session.state.epoch, session.state.step, str(error))))
        raise

"""Checkpoints during training."""

import time

from convscope.bundle import save_bundle
from convscope.files import append_line
from convscope.pipeline.probes import Probes
from convscope.pipeline.session import TrainingSession
from convscope.runs.confusion_log import save_confusion
from convscope.runs.events import as_json
from convscope.runs.folder import RunFolder
from convscope.training import Epoch, Note, save

SAVE_INTERVAL = 3.0  # seconds between checkpoints while epochs take milliseconds


class CheckpointWriter:
    """Saves after each epoch: the network if the epoch is selected, feature maps, the event, and last the state.

    After a kill or a power failure before the state is saved, the epoch is repeated, so nothing of an epoch may be
    written after its state. Where only the head trains on cached features, an epoch takes less time than a checkpoint,
    so checkpoints are written every few seconds.
    """

    def __init__(self, folder: RunFolder, session: TrainingSession, probes: Probes | None = None) -> None:
        self.folder, self.session, self.probes = folder, session, probes
        self.saved = -SAVE_INTERVAL
        self.pending: Epoch | None = None

    def on_epoch(self, event: Epoch) -> Note | None:
        """Save an epoch that has just ended; return a note where its feature maps could not be saved."""
        brief = self._is_brief(event)
        save_confusion(self.folder, self.session.task, self.session.last_evaluation, event.epoch, sync=not brief)
        append_line(self.folder.events_file, as_json(event), sync=not brief)
        if brief:
            self.pending = event
            return None
        return self._save(event)

    def finish(self) -> Note | None:
        """Save a pending epoch at the end of training."""
        return self._save(self.pending) if self.pending else None

    def _save(self, event: Epoch) -> Note | None:
        session, folder = self.session, self.folder
        self.pending = None
        if session.kept_epoch == event.epoch:
            config = session.config.model_copy(update={"epoch": event.epoch})
            save_bundle(folder.model, session.state.result, config)
            if event.epoch == session.last_frozen:
                save_bundle(folder.frozen_model, session.state.result, config)
        problem = self.probes.keep(session.state.result, event.epoch) if self.probes else ""
        note = Note(event.epoch, event.step, problem) if problem else None
        if note:
            append_line(folder.events_file, as_json(note), sync=True)
        if session.stages:
            session.stages.verify(session.state.model)
        save(session.state, folder.checkpoint)
        self.saved = time.monotonic()
        return note

    def _is_brief(self, event: Epoch) -> bool:
        session = self.session
        if not session.trains_on_features or session.recipe.train.keep == "best" or session.recipe.train.stop_patience:
            return False
        last = event.epoch in (session.last_frozen, session.recipe.train.epochs)
        return not last and time.monotonic() - self.saved < SAVE_INTERVAL

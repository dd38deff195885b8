"""Checkpoints during training."""

import shutil
import time

from convscope.bundle import save_bundle
from convscope.files import append_line
from convscope.pipeline.session import TrainingSession
from convscope.runs.confusion_log import save_confusion
from convscope.runs.events import as_json
from convscope.runs.folder import RunFolder
from convscope.training import Epoch, save

SAVE_INTERVAL = 3.0  # seconds between checkpoints while epochs take milliseconds


class CheckpointWriter:
    """Saves after each epoch: the network if the epoch is selected, the event, and last the training state.

    After a kill before the state is saved, the epoch is repeated. Where only the head trains on cached features, an
    epoch takes less time than a checkpoint, so checkpoints are written every few seconds.
    """

    def __init__(self, folder: RunFolder, session: TrainingSession) -> None:
        self.folder, self.session = folder, session
        self.saved = -SAVE_INTERVAL
        self.pending: Epoch | None = None

    def on_epoch(self, event: Epoch) -> None:
        """Save an epoch that has just ended."""
        save_confusion(self.folder, self.session.task, self.session.last_evaluation, event.epoch)
        if self._is_brief(event):
            append_line(self.folder.events_file, as_json(event))
            self.pending = event
            return
        self._save(event)
        append_line(self.folder.events_file, as_json(event))
        save(self.session.state, self.folder.checkpoint)
        self.saved = time.monotonic()

    def finish(self) -> None:
        """Save a pending epoch at the end of training."""
        if self.pending:
            self._save(self.pending)
            save(self.session.state, self.folder.checkpoint)

    def _save(self, event: Epoch) -> None:
        session, folder = self.session, self.folder
        self.pending = None
        if session.kept_epoch == event.epoch:
            config = session.config.model_copy(update={"epoch": event.epoch})
            save_bundle(folder.model, session.state.result, config)
            if event.epoch == session.last_frozen:
                shutil.copytree(folder.model, folder.frozen_model, dirs_exist_ok=True)

    def _is_brief(self, event: Epoch) -> bool:
        session = self.session
        if not session.trains_on_features or session.recipe.train.keep == "best" or session.recipe.train.stop_patience:
            return False
        last = event.epoch in (session.last_frozen, session.recipe.train.epochs)
        return not last and time.monotonic() - self.saved < SAVE_INTERVAL

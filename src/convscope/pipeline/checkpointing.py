"""Saving a run while it trains, so that a kill loses little."""

import shutil
import time

from convscope.bundle import save_bundle
from convscope.files import append_line
from convscope.pipeline.session import Trainee
from convscope.runs.confusion_log import keep_confusion
from convscope.runs.events import as_json
from convscope.runs.folder import RunFolder
from convscope.training import Epoch, save

EVERY = 3.0  # seconds between two savings while epochs take milliseconds


class Keeper:
    """Saves after each epoch: the network when it is the answer, the record, and last the state.

    A kill before the state is saved repeats the epoch. Where the head alone trains on kept features, epochs take less
    time than saving the whole network, and are saved every few seconds only.
    """

    def __init__(self, folder: RunFolder, trainee: Trainee) -> None:
        self.folder, self.trainee = folder, trainee
        self.saved = -EVERY
        self.waiting: Epoch | None = None

    def see(self, event: Epoch) -> None:
        """Take an epoch that has just ended."""
        keep_confusion(self.folder, self.trainee.task, self.trainee.judged, event.epoch)
        if self._brief(event):
            append_line(self.folder.events_file, as_json(event))
            self.waiting = event
            return
        self._save(event)
        append_line(self.folder.events_file, as_json(event))
        save(self.trainee.state, self.folder.checkpoint)
        self.saved = time.monotonic()

    def finish(self) -> None:
        """Save what waits, at the end of training."""
        if self.waiting:
            self._save(self.waiting)
            save(self.trainee.state, self.folder.checkpoint)

    def _save(self, event: Epoch) -> None:
        trainee, folder = self.trainee, self.folder
        self.waiting = None
        if trainee.kept_epoch == event.epoch:
            config = trainee.config.model_copy(update={"epoch": event.epoch})
            save_bundle(folder.model, trainee.state.result, config)
            if event.epoch == trainee.last_frozen:
                shutil.copytree(folder.model, folder.frozen, dirs_exist_ok=True)

    def _brief(self, event: Epoch) -> bool:
        trainee = self.trainee
        if not trainee.training_features or trainee.recipe.train.keep == "best" or trainee.recipe.train.stop_patience:
            return False
        last = event.epoch in (trainee.last_frozen, trainee.recipe.train.epochs)
        return not last and time.monotonic() - self.saved < EVERY

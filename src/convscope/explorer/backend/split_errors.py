"""How wrong the predictions for the images of a split are, for every task."""

from typing import Any

import numpy as np

from convscope.bundle.bundle import WEIGHTS_FILE
from convscope.explorer.backend.live_run import LiveRun
from convscope.runs.predictions import load_predictions
from convscope.tasks import ImageErrors
from convscope.web.errors import NotAvailableError


class SplitErrors:
    """How wrong the predictions for the images of a split are, from the predictions saved in the run."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self._read: dict[str, tuple[float, ImageErrors | None]] = {}

    def of(self, split: str) -> ImageErrors | None:
        """Return the errors in the order of the split's images; None without predictions of the current network."""
        file = self.run.folder.predictions / f"{split}.npz"
        if not file.exists():
            return None
        modified = file.stat().st_mtime
        if modified < (self.run.folder.model / WEIGHTS_FILE).stat().st_mtime:  # of an older network
            return None
        if self._read.get(split, (0.0, None))[0] != modified:
            self._read[split] = modified, self._aligned(split)
        return self._read[split][1]

    def require(self, split: str) -> ImageErrors:
        """Return the errors of a split.

        Raises:
            NotAvailableError: there are no predictions.
        """
        found = self.of(split)
        if found is None:
            raise NotAvailableError(
                f"mistakes: the {split} split has no predictions yet; run the job predictions for {split}"
            )
        return found

    def _aligned(self, split: str) -> ImageErrors | None:
        saved: Any = load_predictions(self.run.folder, split)
        errors = saved.task.image_errors(saved.meter)
        if errors is None or len(errors.values) != len(saved.names):
            return None
        index = {name: i for i, name in enumerate(saved.names)}
        rows = np.array([index.get(name, -1) for name in self.run.images(split).names], np.int64)
        known = rows >= 0
        texts = tuple(errors.texts[row] if row >= 0 else "" for row in rows)
        return ImageErrors(np.where(known, errors.values[rows], np.nan), known & errors.wrong[rows], texts)

"""Early stopping: how long to go on without progress.

The loop is a generator, so that stopping is the caller's `break`; this object only counts.
"""

import math
from typing import Literal


class EarlyStopping:
    """Counts epochs without progress, and says when there were more than `patience` of them in a row.

    An epoch is bad when its score is no better than the best one before, or is not a number.
    With ``patience=2`` the third bad epoch in a row exhausts it.

    >>> patience = Patience(1, mode="min")
    >>> [patience.see(loss) for loss in (0.5, 0.5, 0.4, 0.6, 0.4)]
    [False, False, False, False, True]
    >>> patience.best, patience.best_epoch
    (0.4, 3)
    """

    def __init__(self, patience: int, mode: Literal["min", "max"] = "min", min_delta: float = 0.0) -> None:
        """Take how many bad epochs are borne, whether lower or higher is better, and how much counts as better."""
        self.patience = patience
        self.mode = mode
        self.min_delta = min_delta
        self.best: float | None = None
        self.best_epoch = 0  # counted from 1; 0 before the first
        self.epochs = 0
        self.bad_epochs = 0  # in a row, up to now

    def update(self, score: float) -> bool:
        """Take an epoch's score; return whether patience is exhausted. Feed it before the state is saved."""
        self.epochs += 1
        if self._is_better(score):
            self.best, self.best_epoch, self.bad_epochs = score, self.epochs, 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs > self.patience

    def _is_better(self, score: float) -> bool:
        if math.isnan(score):
            return False
        if self.best is None:
            return True
        gain = self.best - score if self.mode == "min" else score - self.best
        return gain > self.min_delta

    def state_dict(self) -> dict[str, float | None]:
        """What it has counted; `patience`, `mode` and `min_delta` are settings and are not in it."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "bad_epochs": self.bad_epochs,
        }

    def load_state_dict(self, content: dict[str, float | None]) -> None:
        """Go on from what `state_dict` returned."""
        self.best = content["best"]
        self.best_epoch, self.epochs, self.bad_epochs = (
            int(content[name] or 0) for name in ("best_epoch", "epochs", "bad_epochs")
        )

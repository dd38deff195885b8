"""Early stopping after epochs without improvement.

The loop is a generator, so the caller stops with `break`; this object only counts.
"""

import math
from typing import Literal


class EarlyStopping:
    """Counts consecutive epochs without improvement and reports when they exceed `patience`.

    An epoch is bad if its score does not improve on the best one by more than `min_delta`, or is NaN.
    With ``patience=2`` the third consecutive bad epoch exceeds it.

    >>> stopping = EarlyStopping(1, mode="min")
    >>> [stopping.update(loss) for loss in (0.5, 0.5, 0.4, 0.6, 0.4)]
    [False, False, False, False, True]
    >>> stopping.best, stopping.best_epoch
    (0.4, 3)
    """

    def __init__(self, patience: int, mode: Literal["min", "max"] = "min", min_delta: float = 0.0) -> None:
        """Set the number of bad epochs to tolerate, the direction, and the minimum improvement."""
        self.patience = patience
        self.mode = mode
        self.min_delta = min_delta
        self.best: float | None = None
        self.best_epoch = 0  # counted from 1; 0 before the first
        self.epochs = 0
        self.bad_epochs = 0  # consecutive

    def update(self, score: float, epoch: int | None = None) -> bool:
        """Add an epoch's score; return whether `patience` is exceeded. Call it before saving the state.

        Args:
            score: of the epoch.
            epoch: its number, from 1; None: the one after the last.
        """
        self.epochs = self.epochs + 1 if epoch is None else epoch
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
        """Return the counters; `patience`, `mode` and `min_delta` are settings and not included."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "bad_epochs": self.bad_epochs,
        }

    def load_state_dict(self, content: dict[str, float | None]) -> None:
        """Restore what `state_dict` returned."""
        self.best = content["best"]
        self.best_epoch, self.epochs, self.bad_epochs = (
            int(content[name] or 0) for name in ("best_epoch", "epochs", "bad_epochs")
        )

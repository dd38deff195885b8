"""Training within a wall-clock time budget."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from statistics import median_low

from torch import Tensor, nn

from convscope.training.loop import BatchSource, Evaluate, closing_iterator


class TimeBudget:
    """Tracks a time budget in seconds and ends training in time for the last evaluation.

    Time counts from construction. ::

        budget = TimeBudget(300)
        run(state, budget.limit(batches), loss, by_clock(cosine(), budget), None, budget.timing(evaluate))

    The median duration of the latest three evaluations is reserved for the last one (so that a single slow one does
    not end training), and the fraction reaches 1 when only that much is left. Keep the budget in `State.extras`,
    so that a resumed run has only the rest.
    """

    def __init__(self, seconds: float, reserve: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        """Set the budget, the seconds to reserve for what follows training, and the time source."""
        self.seconds = seconds
        self.reserve = reserve
        self.evaluation = 0.0  # seconds reserved for an evaluation
        self._evaluation_times: deque[float] = deque(maxlen=3)
        self.now = now
        self.started = self._latest = now()
        self.fraction = 0.0
        self.agree: Callable[[float], float] = float
        """Makes the fraction that of the first of several processes."""

    @property
    def spent(self) -> float:
        """Seconds since construction, including the time of the runs that this one resumes.

        They never decrease: where the clock jumps back, as in a machine that was suspended, they go on from there.
        """
        now = self.now()
        self.started -= max(0.0, self._latest - now)
        self._latest = now
        return now - self.started

    @property
    def left(self) -> float:
        """Seconds left for training; negative where the reserve is used already."""
        return self.seconds - self.reserve - self.evaluation - self.spent

    def __call__(self) -> float:
        """Return the fraction of training time that is spent, in [0, 1]; it never decreases."""
        for_training = self.seconds - self.reserve - self.evaluation
        spent = self.spent / for_training if for_training > 0 else 1.0
        self.fraction = max(self.fraction, self.agree(min(spent, 1.0)))
        return self.fraction

    def limit(self, batches: BatchSource) -> BatchSource:
        """Return the same batches, ending when the training time is over, even within an epoch.

        The first batch of the first epoch is always returned, so that a run ends with a network that was trained.
        """

        def limited(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
            if self() >= 1 and epoch > 0:
                return
            with closing_iterator(batches(epoch)) as pairs:
                for number, pair in enumerate(pairs):
                    if self() >= 1 and (epoch > 0 or number > 0):
                        return
                    yield pair

        return limited

    def timing(self, evaluate: Evaluate) -> Evaluate:
        """Return the same evaluation with its duration measured."""

        def timed(model: nn.Module) -> dict[str, float]:
            started = self.now()
            scores = evaluate(model)
            self._evaluation_times.append(self.now() - started)
            self.evaluation = median_low(self._evaluation_times)
            return scores

        return timed

    def state_dict(self) -> dict[str, float]:
        """Return the seconds spent and the seconds of an evaluation."""
        return {"spent": self.spent, "evaluation": self.evaluation}

    def load_state_dict(self, content: dict[str, float]) -> None:
        """Restore what `state_dict` returned; the budget is that of this object."""
        self.started = self.now() - content["spent"]
        self.evaluation = content["evaluation"]
        self.fraction = 0.0

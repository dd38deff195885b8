"""A budget of wall-clock time."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from statistics import median_low

from torch import Tensor, nn

from convscope.training.loop import BatchSource, Evaluate, closing_iterator


class TimeBudget:
    """How much of a budget of seconds is spent, and training that ends with it, evaluation included.

    The clock starts when it is made. ::

        clock = Clock(300)
        run(state, clock.limit(batches), loss, by_clock(cosine(), clock), None, clock.timing(evaluate))

    The last evaluation needs time too: the middle of what the latest three took is reserved for it (one that was held
    up must not end the training), so that the fraction reaches 1 when just that much is left. Keep the clock in
    ``State.extras`` and a resumed run has only the rest.
    """

    def __init__(self, seconds: float, reserve: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        """Take the budget, the seconds of it to keep for what follows training, and where the time comes from."""
        self.seconds = seconds
        self.reserve = reserve
        self.evaluation = 0.0  # seconds that an evaluation takes
        self._evaluation_times: deque[float] = deque(maxlen=3)
        self.now = now
        self.started = now()
        self.fraction = 0.0

    @property
    def spent(self) -> float:
        """Seconds since the clock was made, and those of the runs that this one resumes."""
        return self.now() - self.started

    def __call__(self) -> float:
        """Return the fraction of training time that is spent, in [0, 1]; it never falls."""
        for_training = self.seconds - self.reserve - self.evaluation
        spent = self.spent / for_training if for_training > 0 else 1.0
        self.fraction = max(self.fraction, min(spent, 1.0))
        return self.fraction

    def limit(self, batches: BatchSource) -> BatchSource:
        """Return the same batches, ending when the time for training is over, in the middle of an epoch or not."""

        def limited(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
            if self() >= 1:
                return
            with closing_iterator(batches(epoch)) as pairs:
                for pair in pairs:
                    if self() >= 1:
                        return
                    yield pair

        return limited

    def timing(self, evaluate: Evaluate) -> Evaluate:
        """Return the same evaluation, which also tells the clock how long it takes."""

        def timed(model: nn.Module) -> dict[str, float]:
            started = self.now()
            scores = evaluate(model)
            self._evaluation_times.append(self.now() - started)
            self.evaluation = median_low(self._evaluation_times)
            return scores

        return timed

    def state_dict(self) -> dict[str, float]:
        """Seconds spent, and seconds that an evaluation takes."""
        return {"spent": self.spent, "evaluation": self.evaluation}

    def load_state_dict(self, content: dict[str, float]) -> None:
        """Go on from what `state_dict` returned, with the budget that this clock was made with."""
        self.started = self.now() - content["spent"]
        self.evaluation = content["evaluation"]
        self.fraction = 0.0

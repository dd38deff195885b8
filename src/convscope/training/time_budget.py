"""Training within a wall-clock time budget."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from statistics import median_low

from torch import Tensor, nn

from convscope.training.loop import BatchSource, Evaluate, closing_iterator

PLANNING_SECONDS = 1.0  # between two updates of the reserve
FIRST_BATCH = 0.5  # of the seconds of the first batch, which include initialisation, are assumed for later ones


class TimeBudget:
    """Tracks a time budget in seconds and ends training in time for the last evaluation.

    Time counts from construction. ::

        budget = TimeBudget(300)
        run(state, budget.limit(batches), loss, by_clock(cosine(), budget), None, budget.timing(evaluate))

    The median duration of the latest three evaluations, with what the caller does after them until the next epoch, is
    reserved for the last one (so that a single slow one does not end training), more where batches have become slower
    since. The fraction reaches 1 when the time left is not enough for another batch. Keep the budget in
    `State.extras`, so that a resumed run has only the rest.
    """

    def __init__(self, seconds: float, reserve: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        """Set the budget, the seconds to reserve for what follows training, and the time source."""
        self.seconds = seconds
        self.reserve = reserve
        self.evaluation = 0.0  # seconds reserved for an evaluation
        self.batch = 0.0  # seconds expected for the next batch
        self.evaluation_batches = 0.0
        """Batches that take as long as an evaluation; used until one was measured."""
        self.update_reserve: Callable[[], None] = lambda: None
        """Called by `plan`: sets `reserve` by the present speed of the machine."""
        self._evaluations: deque[tuple[float, float]] = deque(maxlen=3)  # seconds, and those of a batch at that time
        self._batch_times: deque[float] = deque(maxlen=5)
        self._evaluating: float | None = None  # start of the last evaluation
        self.now = now
        self.started = self._latest = self._planned = now()
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
        for_training = self.seconds - self.reserve - self.evaluation - self.batch
        spent = self.spent / for_training if for_training > 0 else 1.0
        self.fraction = max(self.fraction, self.agree(min(spent, 1.0)))
        return self.fraction

    def plan(self) -> None:
        """Update the reserve, at most every `PLANNING_SECONDS`."""
        now = self.now()
        if not 0 <= now - self._planned < PLANNING_SECONDS:
            self._planned = now
            self.update_reserve()

    def limit(self, batches: BatchSource) -> BatchSource:
        """Return the same batches, ending when the training time is over, even within an epoch.

        The first batch of the first epoch is always returned, so that a run ends with a network that was trained.
        """
        self._evaluating = None  # what was done since is no part of an evaluation

        def limited(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
            self._end_evaluation()
            if self() >= 1 and epoch > 0:
                return
            began = self.now()
            with closing_iterator(batches(epoch)) as pairs:
                for number, pair in enumerate(pairs):
                    if self() >= 1 and (epoch > 0 or number > 0):
                        return
                    yield pair
                    self._record_batch(self.now() - began)
                    self.plan()
                    began = self.now()

        return limited

    def _record_batch(self, seconds: float) -> None:
        """Update the seconds expected for a batch and for an evaluation; the first batch is forgotten at the second."""
        if self.batch:
            self._batch_times.append(max(0.0, seconds))
            self.batch = median_low(self._batch_times)
        else:
            self.batch = FIRST_BATCH * max(0.0, seconds)
        self._expect()

    def _expect(self) -> None:
        """Expect an evaluation like the latest ones, longer if batches are slower than at that time."""
        if self._evaluations:
            slower = (max(1.0, self.batch / batch if batch else 1.0) for _, batch in self._evaluations)
            self.evaluation = median_low(
                seconds * factor for (seconds, _), factor in zip(self._evaluations, slower, strict=True)
            )
        else:
            self.evaluation = self.evaluation_batches * self.batch

    def timing(self, evaluate: Evaluate) -> Evaluate:
        """Return the same evaluation with its duration measured."""

        def timed(model: nn.Module) -> dict[str, float]:
            self._evaluating = self.now()
            scores = evaluate(model)
            self._evaluations.append((max(0.0, self.now() - self._evaluating), self.batch))
            self._expect()
            return scores

        return timed

    def _end_evaluation(self) -> None:
        """Add to the last evaluation what was done since, such as saving a checkpoint."""
        if self._evaluating is not None:
            self._evaluations[-1] = max(0.0, self.now() - self._evaluating), self._evaluations[-1][1]
            self._evaluating = None
            self._expect()

    def state_dict(self) -> dict[str, float]:
        """Return the seconds spent and the seconds of an evaluation."""
        return {"spent": self.spent, "evaluation": self.evaluation}

    def load_state_dict(self, content: dict[str, float]) -> None:
        """Restore what `state_dict` returned; the budget is that of this object."""
        self.started = self.now() - content["spent"]
        self.evaluation = content["evaluation"]
        if self.evaluation:
            self._evaluations.append((self.evaluation, 0.0))
        self.fraction = 0.0

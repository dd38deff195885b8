"""TensorBoard logging of training events."""

from collections.abc import Generator, Iterator
from typing import Any

from convscope.extras import extra
from convscope.runs.events import Event, PlanReady
from convscope.runs.folder import RunFolder
from convscope.training import Epoch, Step


def log_to_tensorboard(events: Iterator[Event]) -> Generator[Event]:
    """Yield the events unchanged, and write their scalars to ``RUN/tensorboard``.

    Raises:
        ConfigError: TensorBoard is not installed.
    """
    with extra("tensorboard", "--log tensorboard"):
        from torch.utils.tensorboard import SummaryWriter
    writer: Any = None
    try:
        for event in events:
            if isinstance(event, PlanReady):
                writer = SummaryWriter(RunFolder(event.run).tensorboard)
            for name, value, step in scalars(event):
                writer.add_scalar(name, value, step)
            yield event
    finally:
        if writer:
            writer.close()


def scalars(event: Event) -> Iterator[tuple[str, float, int]]:
    """Yield (name, value, step) for the scalars of an event."""
    if isinstance(event, Step):
        yield "learning_rate", event.learning_rate, event.step
        if event.loss is not None:
            yield "train/step_loss", event.loss, event.step
    if isinstance(event, Epoch):
        for part, scores in (("train", event.train), ("validation", event.validation)):
            for name, value in scores.items():
                yield f"{part}/{name}", value, event.step

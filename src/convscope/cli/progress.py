"""Progress on stderr: bars on a terminal, so that results can be piped, and the rate of predictions."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from convscope.durations import format_seconds
from convscope.printable import printable

if TYPE_CHECKING:
    from convscope.api import FailedFile

# Rich and statistics are imported where they are used: `convscope --help` loads this file and needs neither.

LOG_SECONDS = 30.0  # between lines where stderr is not a terminal


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a progress callback, see `convscope.progress.Progress`."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


class Rate:
    """Counts predicted images, and shows their rate and the time left: as a bar, or in a log as a line now and then."""

    def __init__(self) -> None:
        self.images = 0
        """Images of this call."""
        self._done = 0
        self._total: int | None = None
        self._seconds = 0.0
        self._per_image: list[float] = []
        self._logged = time.monotonic()
        self._show: Callable[[int, int | None], None] = lambda _done, _of: None
        self._stack = ExitStack()

    def of(self, total: int | None) -> Self:
        """Set the number of images in all; None: it is unknown."""
        self._total = total
        return self

    def __enter__(self) -> Self:
        self._show = self._stack.enter_context(progress("predict"))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add(self, images: int, seconds: float) -> None:
        """Count a batch of images, and the seconds that it took."""
        self.images += images
        self._seconds += seconds
        self._per_image.append(seconds / images)

    def step(self, failed: "FailedFile | None") -> None:
        """Count an image, also of an earlier call; report one that could not be read."""
        self._done += 1
        if failed is not None:
            print(f"convscope: {printable(f'{failed.file}: {failed.why}')}", file=sys.stderr)
        self._show(self._done, self._total)
        if not sys.stderr.isatty() and time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            print(f"predict: {self.line()}", file=sys.stderr, flush=True)

    def line(self) -> str:
        """Return how many images are done, the rate, and the time left if the number of images is known."""
        rate = self.images / self._seconds if self._seconds else 0.0
        of = f" of {self._total:,}" if self._total is not None else ""
        left = (self._total - self._done) / rate if self._total is not None and rate else None
        ending = "" if left is None else f", {format_seconds(left)} left"
        return f"{self._done:,}{of} images, {rate:,.0f} images/s{ending}"

    def summary(self) -> str:
        """Return the number of images of this call, their rate, and the time per image."""
        import statistics

        rate = self.images / self._seconds
        median = 1000 * statistics.median(self._per_image)
        most = 1000 * sorted(self._per_image)[int(0.95 * (len(self._per_image) - 1) + 0.5)]
        slower = f", 95 % of batches at most {most:.3g} ms" if len(self._per_image) > 1 else ""
        images = f"{self.images:,} image{'' if self.images == 1 else 's'}"
        return f"{images} in {format_seconds(self._seconds)}, {rate:,.3g} images/s, {median:.3g} ms per image{slower}"

"""Progress of long operations."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Called with (items done, number of items); None: the number is unknown."""


def part_of(on_progress: Progress, index: int, parts: int) -> Progress:
    """Return the progress callback of one of several equal parts; each part counts as 100."""
    return lambda done, of: on_progress(100 * index + round(100 * done / (of or 1)), 100 * parts)

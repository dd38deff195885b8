"""How long work reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Called with how many are done, and of how many (None: not known)."""


def part_of(on_progress: Progress, index: int, parts: int) -> Progress:
    """The progress of one of several equal parts, each of which counts as a hundred."""
    return lambda done, of: on_progress(100 * index + round(100 * done / (of or 1)), 100 * parts)

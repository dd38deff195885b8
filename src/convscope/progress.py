"""How long work reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Called with how many are done, and of how many (None: not known)."""

"""What the explorer refuses, each kind with its own class, so that whoever serves it can tell them apart."""

from convscope.errors import ConfigError, DataError, RunError


class NotAvailableError(RunError):
    """The run has not, or never will have, what was asked for."""


class RunGoneError(RunError):
    """The run's folder was deleted or moved while it was looked at."""


class NotFoundError(ConfigError):
    """There is no such image, input or computation."""


class BusyError(RunError):
    """Too many computations wait already."""


class TooLargeError(DataError):
    """More bytes, pixels or frames than are taken."""


class UnsupportedImageError(DataError):
    """Bytes that are no picture."""

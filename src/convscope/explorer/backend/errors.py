"""Errors of the explorer, one class per HTTP status."""

from convscope.errors import ConfigError, DataError, RunError


class NotAvailableError(RunError):
    """The run does not have the requested content, or not yet."""


class RunGoneError(RunError):
    """The run folder was deleted, moved or replaced while it was open."""


class NotFoundError(ConfigError):
    """No such image, input or job."""


class BusyError(RunError):
    """The job queue is full."""


class TooLargeError(DataError):
    """Too many bytes, pixels or frames."""


class UnsupportedImageError(DataError):
    """Not a decodable image."""

"""Errors of requests, one class per HTTP status."""

from convscope.errors import ConfigError, DataError, RunError


class NotAvailableError(RunError):
    """The run does not have the requested content, or not yet."""


class RunGoneError(RunError):
    """The run folder was deleted, moved or replaced while it was open."""


class NotFoundError(ConfigError):
    """No such image, input, job or model."""


class BusyError(RunError):
    """Too many requests wait already.

    Args:
        message: the message.
        retry_after: seconds until another attempt is worthwhile.
    """

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooLargeError(DataError):
    """Too many bytes, pixels or frames."""


class TooSlowError(DataError):
    """The body of a request stopped arriving."""


class UnsupportedImageError(DataError):
    """Not a decodable image."""

"""Errors as JSON: one sentence, its kind, and the matching HTTP status."""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from convscope.errors import ConvscopeError, DataError, RunError
from convscope.validation import first_problem
from convscope.web.errors import (
    BusyError,
    NotAvailableError,
    NotFoundError,
    RunGoneError,
    TooLargeError,
    TooSlowError,
    UnsupportedImageError,
)

ERROR_KINDS: tuple[tuple[type[ConvscopeError], int, str], ...] = (
    (NotFoundError, 404, "not found"),
    (NotAvailableError, 409, "not available"),
    (TooSlowError, 408, "timeout"),
    (RunGoneError, 410, "gone"),
    (TooLargeError, 413, "too large"),
    (UnsupportedImageError, 415, "unsupported image"),
    (BusyError, 429, "busy"),
    (RunError, 409, "not available"),
    (DataError, 409, "not available"),
    (ConvscopeError, 400, "request"),
)

MAX_MESSAGE = 500  # characters


def install_error_handlers(app: FastAPI, reference: str) -> None:
    """Register handlers that return errors as JSON; `reference` is the document that lists the addresses."""

    @app.exception_handler(ConvscopeError)
    def convscope_error(_request: Request, error: ConvscopeError) -> Response:
        return response_of(error)

    @app.exception_handler(RequestValidationError)
    def validation_error(_request: Request, error: RequestValidationError) -> Response:
        problem = first_problem(error, ignored=("query", "path", "body"))
        return error_response(400, "request", f"{problem.name or 'request'}: {problem.why}")

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            message = f"{request.url.path[:80]}: no such address; see {reference}"
            return error_response(404, "not found", message)
        return error_response(error.status_code, "request", f"{request.url.path[:80]}: {error.detail}")

    @app.exception_handler(Exception)
    def internal_error(_request: Request, error: Exception) -> Response:
        return error_response(
            500, "internal error", f"{type(error).__name__}: internal error; see the terminal for the traceback"
        )


def response_of(error: ConvscopeError) -> Response:
    """Return the response to a request that ended in an error."""
    status, kind = next((status, kind) for error_type, status, kind in ERROR_KINDS if isinstance(error, error_type))
    response = error_response(status, kind, str(error))
    if isinstance(error, BusyError) and error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, TooSlowError):
        response.headers["Connection"] = "close"  # the rest of the body would be taken for the next request
    return response


def error_response(status: int, kind: str, message: str) -> Response:
    """Return an error as JSON; the message is cut at `MAX_MESSAGE` characters, since it may repeat the request."""
    short = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
    content: dict[str, Any] = {"error": short, "kind": kind}
    return Response(json.dumps(content), status, media_type="application/json")

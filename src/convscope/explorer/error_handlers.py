"""Every error as one sentence of JSON, with the status that says what kind it is."""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from convscope.errors import ConvscopeError, DataError, RunError
from convscope.explorer.backend import (
    BusyError,
    NotAvailableError,
    NotFoundError,
    RunGoneError,
    TooLargeError,
    UnsupportedImageError,
)
from convscope.validation import first_problem

ERROR_KINDS: tuple[tuple[type[ConvscopeError], int, str], ...] = (
    (NotFoundError, 404, "unknown"),
    (NotAvailableError, 409, "not yet"),
    (RunGoneError, 410, "gone"),
    (TooLargeError, 413, "too large"),
    (UnsupportedImageError, 415, "no image"),
    (BusyError, 429, "busy"),
    (RunError, 409, "not yet"),
    (DataError, 409, "not yet"),
    (ConvscopeError, 400, "request"),
)


def install_error_handlers(app: FastAPI) -> None:
    """Teach an app to answer errors as `docs/reference/explorer-api.md` says."""

    @app.exception_handler(ConvscopeError)
    def ours(_request: Request, error: ConvscopeError) -> Response:
        status, kind = next((status, kind) for known, status, kind in ERROR_KINDS if isinstance(error, known))
        return error_response(status, kind, str(error))

    @app.exception_handler(RequestValidationError)
    def unfit(_request: Request, error: RequestValidationError) -> Response:
        problem = first_problem(error, ignored=("query", "path", "body"))
        return error_response(400, "request", f"{problem.name or 'request'}: {problem.why}")

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            message = f"{request.url.path[:80]}: there is nothing here; see docs/reference/explorer-api.md"
            return error_response(404, "unknown", message)
        return error_response(error.status_code, "request", f"{request.url.path[:80]}: {error.detail}")

    @app.exception_handler(Exception)
    def fault(_request: Request, error: Exception) -> Response:
        return error_response(500, "fault", f"{type(error).__name__}: a fault in convscope; the terminal says more")


def error_response(status: int, kind: str, sentence: str) -> Response:
    """One sentence as JSON."""
    content: dict[str, Any] = {"error": sentence, "kind": kind}
    return Response(json.dumps(content), status, media_type="application/json")

"""Limits of requests: length of the query and the body, valid JSON, and the time that a body may take to arrive."""

import asyncio
import json
import math
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convscope.web.error_handlers import error_response, response_of
from convscope.web.errors import TooSlowError

MAX_QUERY_BYTES = 32_768  # the longest is the list of a sprite's images
MAX_JSON_BYTES = 65_536
BODY_SECONDS = 10.0  # between two parts of a body


class RequestLimits:
    """Middleware that refuses a request which is too long, too slow or not valid JSON, before the application sees it.

    Args:
        app: the application to protect.
        uploads: addresses whose body is not JSON; the application limits its length. One that ends in / is a prefix.
        body_seconds: the longest pause between two parts of a body.
    """

    def __init__(self, app: ASGIApp, uploads: tuple[str, ...] = (), body_seconds: float = BODY_SECONDS) -> None:
        self.app, self.uploads, self.body_seconds = app, uploads, body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        in_time = self._in_time(receive)
        if len(scope["query_string"]) > MAX_QUERY_BYTES:
            await _too_large("query", MAX_QUERY_BYTES, 414)(scope, receive, send)
        elif self._is_upload(scope["path"]) or scope["method"] in ("GET", "HEAD"):
            await self._forward_until_timeout(scope, in_time, send)
        else:
            body = await self._json_body(scope, in_time)
            await (body if isinstance(body, Response) else self._with_body(body, receive))(scope, receive, send)

    def _is_upload(self, path: str) -> bool:
        return any(path.startswith(one) if one.endswith("/") else path == one for one in self.uploads)

    def _in_time(self, receive: Receive) -> Receive:
        """Return `receive` with a limit on the pause before each part of the body; afterwards without."""
        complete = False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self.body_seconds)
            except TimeoutError:
                waited = f"{self.body_seconds:g} seconds"
                raise TooSlowError(f"body: nothing arrived for {waited}; send the request again") from None
            complete = not message.get("more_body", False)
            return message

        return receive_in_time

    async def _forward_until_timeout(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except TooSlowError as error:
            await response_of(error)(scope, receive, send)

    async def _json_body(self, scope: Scope, receive: Receive) -> bytes | Response:
        """Return the body, or the response that refuses it."""
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared[:20]) > MAX_JSON_BYTES:
            return _too_large("body", MAX_JSON_BYTES, 413)
        body = bytearray()
        try:
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > MAX_JSON_BYTES:
                    return _too_large("body", MAX_JSON_BYTES, 413)
                if not message.get("more_body", False):
                    break
        except TooSlowError as error:
            return response_of(error)
        why = invalid_json(bytes(body)) if body else ""
        return error_response(400, "request", f"body: {why}; send valid JSON") if why else bytes(body)

    def _with_body(self, body: bytes, receive: Receive) -> ASGIApp:
        """Return the application with a body that was read already."""
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            await self.app(scope, replay, send)

        return app


def invalid_json(body: bytes) -> str:
    """Return why a body is no JSON that can be stored and sent again; empty if it is.

    >>> invalid_json(b'{"a": 1}'), invalid_json(b'{"a": NaN}')
    ('', 'NaN is no JSON number')
    """
    try:
        parsed = json.loads(body, parse_constant=_refuse, parse_float=_finite)
        json.dumps(parsed, ensure_ascii=False).encode()
    except RecursionError:
        return "it is nested too deeply"
    except UnicodeEncodeError:
        return "it has half of a surrogate pair"
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except json.JSONDecodeError as error:
        return f"it is not JSON, from character {error.pos} on"
    except ValueError as error:
        return str(error) if "JSON number" in str(error) else "it has a number with too many digits"
    return ""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is too large for a JSON number")
    return number


def _too_large(part: str, most: int, status: int) -> Response:
    response = error_response(status, "too large", f"{part}: more than {most:,} bytes; send less")
    response.headers["Connection"] = "close"
    return response

"""Authentication: a token from the printed link, and checks of Host and Origin."""

import hmac
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convscope.web.access import (
    OwnAddress,
    equal_in_constant_time,
    forbidden,
    has_bearer_token,
    reject_websocket,
)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CLOSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>convscope</title>
<h1>This page needs its link</h1><p>Open the link that <code>convscope explore</code> printed in the terminal:
it carries a token, so that other users of this machine cannot see your images.</p></html>"""
MAX_LINK = 1000  # bytes of a query that are searched for the token


class AccessGuard:
    """Middleware that forwards requests with the token and with this server's own Host and Origin; all others get 403.

    Args:
        app: the application to protect.
        token: the token in the link.
        host: address that the server listens on.
        port: port that the server listens on.
        ticket: a single-use token, for the browser's command line, which other users can read in the process list.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int, ticket: str = "") -> None:
        self.app, self.token, self._ticket = app, token, ticket
        self.address = OwnAddress(host, port)
        self.cookie = f"convscope_{port}"
        self._session = session_value(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await (self.app if scope["type"] == "lifespan" else reject_websocket)(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    kept[name] = value
                kept.setdefault("Cache-Control", "no-store")
            await send(message)

        rejection = self._rejection(scope, headers)
        await (rejection or self.app)(scope, receive, send_with_headers)

    def _rejection(self, scope: MutableMapping[str, Any], headers: Headers) -> Response | None:
        """Return the response that rejects a request, or None if it is allowed."""
        if not self.address.matches(headers.get("host", "")):
            return forbidden("Host: not an address of this server; open the link that convscope explore printed")
        origin = headers.get("origin")
        if origin is not None and not self.address.is_origin(origin):
            return forbidden("Origin: cross-origin request refused; open the link that convscope explore printed")
        if scope["path"] != "/" and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return forbidden("Sec-Fetch-Site: request of another site; open the link that convscope explore printed")
        parameters = parse_qs(scope["query_string"][:MAX_LINK].decode("latin-1"))
        if scope["path"] == "/" and "token" in parameters:
            return self._redeem_ticket(parameters["token"][-1])
        if self._is_authenticated(headers):
            return None
        if scope["path"] == "/":
            return HTMLResponse(CLOSED, 403)
        return forbidden("token: missing or invalid; open the link that convscope explore printed")

    def _redeem_ticket(self, given: str) -> Response:
        if self._ticket and equal_in_constant_time(given, self._ticket):
            self._ticket = ""
        elif not equal_in_constant_time(given, self.token):
            return HTMLResponse(CLOSED, 403)
        response = RedirectResponse("/", 303)
        response.set_cookie(self.cookie, self._session, httponly=True, samesite="strict", path="/")
        return response

    def _is_authenticated(self, headers: Headers) -> bool:
        if has_bearer_token(headers, self.token):
            return True
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return found is not None and equal_in_constant_time(found.value, self._session)


def session_value(token: str) -> str:
    """Return what the cookie holds: derived from the token, so that it opens nothing by another way.

    Browsers send a cookie to all ports of a host: another server on this machine may see it.
    """
    return hmac.new(token.encode(), b"convscope session cookie", "sha256").hexdigest()

"""Access to the server: the token, and requests that web pages of other sites send."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convscope.web.access import LOOPBACK, OwnAddress, forbidden, has_bearer_token, reject_websocket
from convscope.web.error_handlers import error_response

OPEN = ("/", "/docs", "/openapi.json", "/v2/health/live", "/v2/health/ready")
"""Addresses that need no token, and everything under `STATIC`."""
STATIC = "/static/"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class ServerAccess:
    """Middleware that refuses requests without the token, if there is one, and those of other sites' pages.

    On a loopback address the Host must be one of this machine, since the name of another site may resolve to it.

    Args:
        app: the application to protect.
        token: the token; "" for none.
        host: address that the server listens on.
        port: port that the server listens on.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int) -> None:
        self.app, self.token = app, token
        self.address = OwnAddress(host, port)
        self.local = host in LOOPBACK
        self.draining = False
        """Whether clients are asked to connect elsewhere, because the server ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await (self.app if scope["type"] == "lifespan" else reject_websocket)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if self.draining:
                    headers["Connection"] = "close"
            await send(message)

        headers = Headers(scope=scope)
        origin, host = headers.get("origin"), headers.get("host", "")
        if self.local and not self.address.matches(host):
            refused = forbidden("Host: not an address of this machine; use the one that convscope serve printed")
        elif origin is not None and origin.partition("://")[2] != host:
            refused = forbidden("Origin: page of another site; send the request from your own server")
        elif self.token and not _is_open(scope["path"]) and not has_bearer_token(headers, self.token):
            refused = error_response(401, "unauthorized", "token: missing or wrong; send Authorization: Bearer TOKEN")
            refused.headers["WWW-Authenticate"] = "Bearer"
        else:
            await self.app(scope, receive, send_with_headers)
            return
        await refused(scope, receive, send_with_headers)


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(STATIC)

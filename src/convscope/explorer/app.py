"""The explorer as an ASGI application: the routes of one session behind the access guard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.types import ASGIApp

from convscope.explorer import static_files
from convscope.explorer.auth import AccessGuard
from convscope.explorer.routes import experiments, images, inputs, jobs, run
from convscope.explorer.session import Session
from convscope.web.error_handlers import install_error_handlers
from convscope.web.request_limits import RequestLimits

REFERENCE = "docs/reference/explorer-api.md"
UPLOADS = ("/api/inputs",)
"""The addresses whose body is an image, with its own limit."""


def application(
    session: Session, token: str, host: str = "127.0.0.1", port: int = 8765, ticket: str = ""
) -> ASGIApp:  # fmt: skip
    """Return the application that serves a session to clients with the token, or once to one with the ticket."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        poller = asyncio.create_task(session.follow())
        try:
            yield
        finally:
            poller.cancel()
            with suppress(asyncio.CancelledError):
                await poller
            await asyncio.to_thread(session.close)

    app = FastAPI(title="convscope", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    install_error_handlers(app, REFERENCE)
    for router in (
        static_files.routes(), run.routes(session), images.routes(session), images.correction_routes(session),
        inputs.routes(session), experiments.routes(session), jobs.method_routes(), jobs.routes(session),
    ):  # fmt: skip
        app.include_router(router)
    return AccessGuard(RequestLimits(app, UPLOADS), token, host, port, ticket)

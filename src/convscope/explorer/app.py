"""The explorer as an application: the routes of one session behind its door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.types import ASGIApp

from convscope.explorer import static_files
from convscope.explorer.auth import AccessGuard
from convscope.explorer.error_handlers import install_error_handlers
from convscope.explorer.routes import images, inputs, jobs, run
from convscope.explorer.session import Session


def application(
    session: Session, token: str, host: str = "127.0.0.1", port: int = 8765, ticket: str = ""
) -> ASGIApp:  # fmt: skip
    """The application that serves a session at an address to whoever knows the token, or first shows the ticket."""

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        follower = asyncio.create_task(session.follow())
        try:
            yield
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
            await asyncio.to_thread(session.close)

    app = FastAPI(title="convscope", docs_url=None, redoc_url=None, openapi_url=None, lifespan=living)
    install_error_handlers(app)
    for router in (
        static_files.routes(), run.routes(session), images.routes(session), images.correction_routes(session),
        inputs.routes(session), jobs.method_routes(), jobs.routes(session),
    ):  # fmt: skip
        app.include_router(router)
    return AccessGuard(app, token, host, port, ticket)

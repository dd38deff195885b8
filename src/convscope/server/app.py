"""The prediction server as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI

from convscope.server.access import ServerAccess
from convscope.server.model_store import ModelStore
from convscope.server.routes import inference_protocol, predict, status
from convscope.web.error_handlers import install_error_handlers
from convscope.web.request_limits import RequestLimits

UPLOADS = ("/predict", "/explain", "/v2/models/")
"""The addresses whose body is not JSON, or longer than other bodies."""


def application(store: ModelStore, host: str, port: int) -> ServerAccess:
    """Return the application that serves the models of a store."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watcher = asyncio.create_task(store.follow())
        try:
            yield
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher
            await store.close()

    app = FastAPI(
        title="convscope serve", version=version("convscope"), docs_url=None, redoc_url=None, lifespan=lifespan
    )
    install_error_handlers(app, "/docs")
    app.include_router(predict.routes(store))
    if store.explains:
        from convscope.server.routes import explain  # needs PyTorch

        app.include_router(explain.routes(store))
    for room in (inference_protocol, status):
        app.include_router(room.routes(store))
    return ServerAccess(RequestLimits(app, UPLOADS), store.settings.token, host, port)

"""What the server knows of itself: its models, metrics, and the page to try it."""

import functools
from importlib.resources import files
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from convscope.server.metrics import MEDIA_TYPE
from convscope.server.model_store import ModelStore
from convscope.server.routes.predict import ModelName
from convscope.web.errors import NotFoundError

PAGE = "docs.html"
MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css"}


def routes(store: ModelStore) -> APIRouter:
    """Return the router of the models."""
    router = APIRouter()

    @router.get("/models", summary="Names of the models")
    def models() -> dict[str, list[str]]:
        return {"models": store.names}

    @router.get("/card", summary="What is known of a model: classes, input, scores, origin")
    def card(model: ModelName = None) -> dict[str, Any]:
        return store.get(model).model.card()

    @router.get("/metrics", summary="Metrics of all processes in the text format of Prometheus")
    def metrics() -> Response:
        return Response(store.metrics.text(), media_type=MEDIA_TYPE)

    @router.get("/", include_in_schema=False)
    @router.get("/docs", include_in_schema=False)
    def page() -> Response:
        return static_file(PAGE)

    @router.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        return static_file(name)

    return router


def static_file(name: str) -> Response:
    """Return a file of the page.

    Raises:
        NotFoundError: no such file.
    """
    known = _static_files()
    if name not in known:
        raise NotFoundError(f"/static/{name[:80]}: no such file; open /docs")
    return Response(known[name], media_type=MEDIA_TYPES[name[name.rindex(".") :]])


@functools.cache
def _static_files() -> dict[str, bytes]:
    folder = files("convscope.server") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

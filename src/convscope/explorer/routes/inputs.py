"""Routes of network inputs: uploaded images and the run's, their maps, and the arithmetic of single units."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from convscope.explorer.binary import encoded
from convscope.explorer.routes.png_response import png_response
from convscope.explorer.session import Session
from convscope.web.uploads import bounded

Layer = Annotated[str, Query(max_length=300)]
WatchedLayers = Annotated[list[str], Query(max_length=64)]


def routes(session: Session) -> APIRouter:
    """Return the router of a session."""
    router, inputs, answers = APIRouter(prefix="/api/inputs"), session.inputs, session.answers

    @router.post("")
    async def add(
        request: Request, name: Annotated[str, Query(max_length=200)] = "", like: str | None = None,
        centre: bool = False, watch: WatchedLayers = [],  # noqa: B006 - FastAPI copies it
    ) -> dict[str, Any]:  # fmt: skip
        content = await bounded(request)

        def predict() -> dict[str, Any]:
            image = inputs.add(content, name, like, centre)
            return answers.prediction(image, inputs.predict(image, watch))

        return await run_in_threadpool(predict)

    @router.get("/{image}")
    def prediction(image: str, watch: WatchedLayers = []) -> dict[str, Any]:  # noqa: B006 - FastAPI copies it
        return answers.prediction(image, inputs.predict(image, watch))

    @router.get("/{image}/mask.png")
    def mask(request: Request, image: str, show: Annotated[str, Query(max_length=40)] = "predicted") -> Response:
        return png_response(request, answers.overlay(image, show))

    @router.get("/{image}/maps")
    def maps(
        image: str, layer: Layer, first: Annotated[int, Query(alias="from", ge=0)] = 0,
        to: Annotated[int | None, Query(ge=1)] = None, side: Annotated[int | None, Query(ge=1, le=1024)] = None,
        values: Literal["bytes", "float"] = "bytes", sort: Literal["order", "strength"] = "order",
    ) -> Response:  # fmt: skip
        selected = inputs.select_maps(image, layer, (first, to), side, values == "float", sort == "strength")
        return Response(encoded(selected), media_type="application/octet-stream")

    @router.get("/{image}/maps/summary")
    def summary(image: str, layer: Layer) -> dict[str, Any]:
        return inputs.summary(image, layer)

    @router.get("/{image}/unit")
    def unit(
        image: str, layer: Layer, channel: int = 0, row: int = 0, column: int = 0,
        most: Annotated[int, Query(ge=1, le=4096)] = 64,
    ) -> dict[str, Any]:  # fmt: skip
        return inputs.unit(image, layer, channel, (row, column), most)

    return router

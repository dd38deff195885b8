"""``POST /explain``: a heat map of the positions that support a class."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from convscope.errors import ConfigError
from convscope.server.explanations import METHODS
from convscope.server.model_store import ModelStore
from convscope.server.routes.predict import IMAGES, ModelName
from convscope.server.routes.requests import counted, uploaded_images

METHOD = f"Attribution method: {', '.join(METHODS)}."
CLASS_HEADER = "Convscope-Class"


def routes(store: ModelStore) -> APIRouter:
    """Return the router of the models."""
    router = APIRouter()

    @router.post(
        "/explain", summary="Draw which positions of an image support a class", openapi_extra=IMAGES,
        response_class=Response, responses={200: {"content": {"image/png": {}}}},
    )  # fmt: skip
    async def explain(
        request: Request, model: ModelName = None,
        method: Annotated[str, Query(max_length=80, description=METHOD)] = "grad_cam",
        target: Annotated[str | None, Query(max_length=200, description="Class; the predicted one without it.")] = None,
    ) -> Response:  # fmt: skip
        """Send one image file as the body or as a form; the answer is a PNG, the class is in the header
        Convscope-Class, percent-encoded.
        """
        serving = store.get(model)
        with counted(store, serving.model.name), store.admitted(serving):
            images = await uploaded_images(request, "")
            if len(images) != 1:
                raise ConfigError(f"explain: {len(images)} images; send one")
            loop = asyncio.get_running_loop()
            content, name = await loop.run_in_executor(
                store.compute, serving.model.explain, images[0][1], method, target
            )
        return Response(content, media_type="image/png", headers={CLASS_HEADER: quote(name)})

    return router

"""``POST /predict``: predictions for images, as `convscope predict --json` gives them."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from convscope.errors import DataError
from convscope.predictions.files import FailedFile
from convscope.server.model_store import ModelStore, Serving
from convscope.server.routes.requests import counted, uploaded_images
from convscope.server.served import answer

ModelName = Annotated[str | None, Query(max_length=200, description="Name of the model; needed if there are several.")]
IMAGES = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"image": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            },
        },
    }
}


def routes(store: ModelStore) -> APIRouter:
    """Return the router of the models."""
    router = APIRouter()

    @router.post("/predict", summary="Predict images", openapi_extra=IMAGES)
    async def predict(
        request: Request, model: ModelName = None,
        name: Annotated[str, Query(max_length=200, description="File name of a single image, returned as it is.")] = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Send one image file as the body, or several as a form. Of several, one that cannot be read has an "error"."""
        serving = store.get(model)
        with counted(store, serving.model.name), store.admitted(serving):
            images = await uploaded_images(request, name)
            with store.admitted(serving, len(images) - 1):
                found = await predicted(store, serving, images)
        return {"model": serving.model.name, "version": serving.model.version, "predictions": found}

    return router


async def predicted(store: ModelStore, serving: Serving, images: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Return one JSON object per image, in their order.

    Raises:
        DataError: there is only one image, and it cannot be read.
    """
    work = [store.predict(serving, content, name) for name, content in images]
    results = await asyncio.gather(*work, return_exceptions=len(images) > 1)
    records = []
    for (name, _), result in zip(images, results, strict=True):
        if isinstance(result, DataError):
            records.append(FailedFile(name, str(result).removeprefix("upload: ")).to_dict())
        elif isinstance(result, BaseException):
            raise result
        else:
            records.append(answer(result))
    return records

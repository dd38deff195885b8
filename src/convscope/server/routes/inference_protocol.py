"""``/v2``: the Open Inference Protocol with JSON and binary tensors."""

import asyncio
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from starlette.responses import JSONResponse, Response

from convscope.errors import ConfigError, did_you_mean
from convscope.server.model_store import ModelStore, Serving
from convscope.server.routes.requests import MAX_REQUEST_BYTES, counted
from convscope.server.served import answer
from convscope.server.tensors import BYTES, Tensor, input_tensors, output_tensors, parse_json, response
from convscope.web.uploads import bounded

FILES, PIXELS = "file", "image"
HEAD_LENGTH = "Inference-Header-Content-Length"


def routes(store: ModelStore) -> APIRouter:
    """Return the router of the models."""
    router = APIRouter(prefix="/v2")

    @router.get("", summary="Name and version of the server")
    def server() -> dict[str, Any]:
        return {"name": "convscope", "version": installed("convscope"), "extensions": ["binary_tensor_data"]}

    @router.get("/health/live", summary="Whether the server answers")
    def live() -> dict[str, bool]:
        return {"live": True}

    @router.get("/health/ready", summary="Whether all models are loaded")
    def ready() -> Response:
        return JSONResponse({"ready": not store.draining}, 503 if store.draining else 200)

    @router.get("/models/{name}", summary="Inputs and outputs of a model")
    def metadata(name: str) -> dict[str, Any]:
        return describe(store.get(name))

    @router.get("/models/{name}/ready", summary="Whether a model is loaded")
    def model_ready(name: str) -> dict[str, Any]:
        return {"name": store.get(name).model.name, "ready": True}

    @router.post("/models/{name}/infer", summary="Predict tensors of pixels, or files as binary data")
    async def infer(request: Request, name: str) -> Response:
        """Inputs: `image` (UINT8: images, height, width, channels) or `file` (BYTES: the content of image files)."""
        serving = store.get(name)
        with counted(store, serving.model.name), store.admitted(serving):
            body = await bounded(request, MAX_REQUEST_BYTES)
            head, binary = _parts(request, body)
            images = input_images(input_tensors(head, binary))
            with store.admitted(serving, len(images) - 1):
                found = await asyncio.gather(*(store.predict(serving, one, "") for one in images))
            return _response(serving, head, output_tensors([answer(one) for one in found]))

    return router


def describe(serving: Serving) -> dict[str, Any]:
    """Return the metadata of a model."""
    channels = serving.model.input_shape[2]
    return {
        "name": serving.model.name,
        "versions": [serving.model.version],
        "platform": serving.model.platform,
        "inputs": [
            {"name": PIXELS, "datatype": "UINT8", "shape": [-1, -1, -1, channels]},
            {"name": FILES, "datatype": BYTES, "shape": [-1]},
        ],
        "outputs": [tensor.describe() for tensor in output_tensors([answer(serving.example)])],
    }


def input_images(tensors: list[Tensor]) -> list[bytes | NDArray[np.uint8]]:
    """Return the images of a request.

    Raises:
        ConfigError: not one input, or its name, datatype or shape is none of the model's.
    """
    if len(tensors) != 1:
        raise ConfigError(f"inputs: {len(tensors)} tensors; send one, {PIXELS} or {FILES}")
    (tensor,) = tensors
    if tensor.name not in (PIXELS, FILES):
        raise ConfigError(f"inputs: no {tensor.name[:80]}{did_you_mean(tensor.name, (PIXELS, FILES))}")
    expected, axes = ("UINT8", 4) if tensor.name == PIXELS else (BYTES, 1)
    shape = " x ".join(map(str, tensor.values.shape))
    if tensor.datatype != expected or tensor.values.ndim != axes or not tensor.values.size:
        layout = "images x height x width x channels" if axes == 4 else "files"
        raise ConfigError(f"inputs: {tensor.name}: {tensor.datatype} of {shape}; send {expected} of {layout}")
    return list(tensor.values)


def _parts(request: Request, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the JSON part of a request and the binary data after it."""
    length = request.headers.get(HEAD_LENGTH, str(len(body)))
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ConfigError("Content-Encoding: compressed requests are not read; send the request as it is")
    if not length.isdigit() or int(length[:20]) > len(body):
        raise ConfigError(f"{HEAD_LENGTH}: {length[:20]} of {len(body)} bytes; send the length of the JSON part")
    return parse_json(body[: int(length)]), body[int(length) :]


def _response(serving: Serving, request: dict[str, Any], tensors: list[Tensor]) -> Response:
    """Return the outputs that the request names, or all."""
    parameters, named = request.get("parameters"), request.get("outputs")
    everything = bool(isinstance(parameters, dict) and parameters.get("binary_data_output"))
    binary = {tensor.name: everything for tensor in tensors}
    if isinstance(named, list) and named:
        known = {tensor.name: tensor for tensor in tensors}
        wanted = {str(one.get("name")): one.get("parameters") for one in named if isinstance(one, dict)}
        for name, settings in wanted.items():
            if name not in known:
                raise ConfigError(f"outputs: no {name[:80]}{did_you_mean(name, known)}")
            if isinstance(settings, dict) and "binary_data" in settings:
                binary[name] = bool(settings["binary_data"])
        tensors = [known[name] for name in wanted]
    head = {"model_name": serving.model.name, "model_version": serving.model.version}
    if isinstance(request.get("id"), str):
        head["id"] = request["id"]
    content, length = response(head, tensors, binary)
    if length is None:
        return Response(content, media_type="application/json")
    return Response(content, headers={HEAD_LENGTH: str(length)}, media_type="application/octet-stream")

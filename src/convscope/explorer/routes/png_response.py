"""Responses with a picture that the browser revalidates."""

import hashlib

import numpy as np
from fastapi import Request
from starlette.responses import Response

from convscope.explorer.backend import as_png


def png_response(request: Request, pixels: np.ndarray) -> Response:
    """Return pixels as a PNG file; 304 if the client has it."""
    content = as_png(pixels)
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="image/png", headers=headers)

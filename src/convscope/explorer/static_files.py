"""Static files of the page, listed at startup, so that no address can name another file."""

import hashlib
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from convscope.explorer.backend import NotFoundError

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".woff2": "font/woff2",
}  # fmt: skip


def routes(folder: Path = STATIC) -> APIRouter:
    """Return the router of a folder's files."""
    router = APIRouter()
    files = {
        str(path.relative_to(folder).as_posix()): path
        for path in folder.rglob("*") if path.is_file() and path.suffix in MEDIA_TYPES
    }  # fmt: skip

    def file(request: Request, name: str) -> Response:
        if name not in files:
            raise NotFoundError(f"/static/{name[:80]}: no such file; reload the page")
        content = files[name].read_bytes()
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=MEDIA_TYPES[files[name].suffix], headers=headers)

    @router.get("/")
    def page(request: Request) -> Response:
        return file(request, "index.html")

    @router.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    @router.get("/static/{name:path}")
    def static_file(request: Request, name: str) -> Response:
        return file(request, name)

    return router

"""Images of a request, and the count of its outcome."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from convscope.errors import ConfigError, ConvscopeError
from convscope.server.model_store import ModelStore
from convscope.web.errors import BusyError
from convscope.web.uploads import MAX_BYTES, bounded

MAX_REQUEST_BYTES = 4 * MAX_BYTES
"""Of a request with several images."""
MAX_FILES = 64
MULTIPART = "multipart/form-data"


async def uploaded_images(request: Request, name: str) -> list[tuple[str, bytes]]:
    """Return the names and bytes of a request's images: the files of a form, or else the body as one file.

    Raises:
        TooLargeError: too many bytes.
        ConfigError: no image, or not a valid form.
    """
    if not request.headers.get("content-type", "").startswith(MULTIPART):
        content = await bounded(request)
        if not content:
            raise ConfigError("request: no image; send the bytes of a file as the body, or a form with files")
        return [(name, content)]
    body = await bounded(request, MAX_REQUEST_BYTES)

    async def stream() -> AsyncIterator[bytes]:
        yield body
        yield b""

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=MAX_FILES, max_fields=MAX_FILES).parse()  # type: ignore[arg-type]
    except (MultiPartException, KeyError):
        raise ConfigError(f"request: not a valid form of at most {MAX_FILES} files; see /docs") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    found = [(file.filename or "", await file.read()) for file in files]
    await form.close()
    if not found:
        raise ConfigError("request: the form contains no file; add one, as in: curl -F image=@photo.jpg")
    return found


@contextmanager
def counted(store: ModelStore, model: str) -> Iterator[None]:
    """Count the request by its outcome, and measure its seconds."""
    start, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "ok"
    except ConvscopeError as error:
        outcome = "busy" if isinstance(error, BusyError) else "invalid"
        raise
    finally:
        store.metrics.count(model, outcome)
        store.metrics.observe(model, "request_seconds", time.monotonic() - start)

"""Images in requests: read with a limit, and checked by their header before they are decoded."""

import io

from starlette.requests import Request

from convscope.datasets.inputs.arrays import START as ARRAY_START
from convscope.datasets.inputs.opening import open_image, quiet_pillow
from convscope.datasets.inputs.tiff import MAGIC as TIFF_STARTS
from convscope.errors import DataError
from convscope.web.errors import TooLargeError, UnsupportedImageError

MAX_BYTES = 16 * 2**20
MAX_PIXELS = 40_000_000


async def bounded(request: Request, most: int = MAX_BYTES) -> bytes:
    """Read a request body, at most so many bytes.

    Raises:
        TooLargeError: it has more.
    """
    content_length = request.headers.get("content-length", "0")
    too_large = TooLargeError(f"upload: more than {most:,} bytes; reduce the image")
    if content_length.isdigit() and int(content_length) > most:
        raise too_large
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > most:
            raise too_large
        parts.append(part)
    return b"".join(parts)


def check(content: bytes, one_frame: bool = True) -> tuple[int, int] | None:
    """Check size and format from the header, without decoding; return width and height, None if Pillow has no decoder.

    Args:
        content: the bytes of a file.
        one_frame: refuse files of several frames, and TIFF files that Pillow cannot open; else these are left to
            another decoder, as arrays always are, which has limits of its own.

    Raises:
        TooLargeError: too many bytes, pixels or frames.
        UnsupportedImageError: not a decodable image.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(f"upload: {len(content):,} bytes; the maximum is {MAX_BYTES:,}")
    try:
        with quiet_pillow(), open_image(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise TooLargeError(f"upload: {width} x {height} pixels; the maximum is {MAX_PIXELS:,}")
            if (
                one_frame and getattr(image, "is_animated", False) and image.format != "MPO"
            ):  # MPO: a photo and its preview
                raise TooLargeError("upload: more than one frame; upload a single image")
            return width, height
    except TooLargeError:
        raise
    except DataError as error:
        if content.startswith(ARRAY_START if one_frame else (ARRAY_START, *TIFF_STARTS)):
            return None
        raise unsupported(error) from None


def unsupported(error: DataError) -> UnsupportedImageError:
    """Return the error of a decoder as one of an upload."""
    return UnsupportedImageError(str(error).replace("image: ", "upload: ", 1))

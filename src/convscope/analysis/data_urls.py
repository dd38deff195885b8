"""Pictures as ``data:`` addresses, for pages that are one file."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

LARGE = 150_000  # bytes from which on a sheet of photos is better off as JPEG


def address(picture: np.ndarray) -> str:
    """A sheet as an address: PNG keeps hard edges sharp and few colours small; large sheets of photos become JPEG."""
    image, png, jpeg = Image.fromarray(picture), io.BytesIO(), io.BytesIO()
    image.save(png, "PNG")
    kind, content = "png", png.getvalue()
    if len(content) > LARGE:
        image.save(jpeg, "JPEG", quality=88)
        kind, content = min(("png", content), ("jpeg", jpeg.getvalue()), key=lambda one: len(one[1]))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def image_of_file(path: Path) -> str:
    """A picture's file as an address."""
    kind = path.suffix.lstrip(".").replace("jpg", "jpeg")
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"

"""Pictures as ``data:`` URLs, for self-contained pages."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

LARGE = 150_000  # bytes of PNG above which JPEG is tried


def address(picture: np.ndarray) -> str:
    """Return a picture (H, W, 3) as a data URL: PNG, or JPEG if the PNG is large and the JPEG smaller."""
    image, png, jpeg = Image.fromarray(picture), io.BytesIO(), io.BytesIO()
    image.save(png, "PNG")
    kind, content = "png", png.getvalue()
    if len(content) > LARGE:
        image.save(jpeg, "JPEG", quality=88)
        kind, content = min(("png", content), ("jpeg", jpeg.getvalue()), key=lambda one: len(one[1]))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def image_of_file(path: Path) -> str:
    """Return an image file as a data URL."""
    kind = path.suffix.lstrip(".").replace("jpg", "jpeg")
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"

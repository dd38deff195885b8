"""A convolution step by step."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from convscope.datasets import read_image
from convscope.errors import ConfigError, ModelError
from convscope.models.summary.convolution_steps import Border, ConvolutionResult, read_kernel
from convscope.models.summary.convolution_steps import convolve as convolution


def read_grey(path: Path) -> NDArray[np.float64]:
    """(H, W) values for `convolve`: a picture's grey levels in [0, 255], or the numbers of a text file.

    Raises:
        ModelError: when a text file does not hold rows of as many numbers each.
    """
    if path.suffix not in (".txt", ".csv"):
        grey: NDArray[np.float64] = read_image(path, 1)[0].astype(np.float64)
        return grey
    try:
        comma = "," if "," in path.read_text() else None
        rows: NDArray[np.float64] = np.loadtxt(path, delimiter=comma, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise ModelError(f"{path}: not rows of numbers ({error}); separate them by spaces or commas") from None
    return rows


def convolve(
    image: str | Path | ArrayLike,
    kernel: str | ArrayLike = "edge",
    *,
    stride: int = 1,
    padding: int | str = 0,
    border: Border = "zeros",
    mean: bool = False,
) -> ConvolutionResult:
    """A convolution of an image with a kernel, with every step of multiply and sum.

    Deep learning says convolution; in mathematics it is cross-correlation: the kernel is not flipped.

    Args:
        image: (H, W) values, or a file as for `read_grey`.
        kernel: (h, w) values, the name of a kernel, or rows of numbers like "1,0,-1;2,0,-2;1,0,-1".
        stride: pixels between neighbouring positions of the window.
        padding: pixels added on each side, or "same".
        border: what the added pixels hold: zeros, edge, reflect or circular.
        mean: whether each sum is divided by the number of values.

    Raises:
        ConfigError: `padding` is not a number of pixels.
        ModelError: the kernel does not fit the image, or a file has no rows of numbers.
    """
    if padding != "same" and not str(padding).isdigit():
        raise ConfigError(f"padding {padding}: not a number of pixels; give a number, or same")
    amount: Any = padding if padding == "same" else int(padding)
    values = read_grey(Path(image)) if isinstance(image, str | Path) else image
    num_parameters = read_kernel(kernel) if isinstance(kernel, str) else kernel
    return convolution(values, num_parameters, stride=stride, padding=amount, border=border, mean=mean)


def as_picture(values: NDArray[np.float64]) -> Image.Image:
    """Values as grey levels, the least black and the largest white."""
    format_seconds = float(np.ptp(values)) or 1.0
    return Image.fromarray(np.rint(255 * (values - values.min()) / format_seconds).astype(np.uint8))

"""A convolution step by step."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from convscope.datasets import read_image
from convscope.errors import ConfigError, ModelError
from convscope.models.summary.convolution_steps import Border, ConvolutionResult, read_kernel
from convscope.models.summary.convolution_steps import convolve as convolution


def read_values(path: Path, colour: bool = False) -> NDArray[np.float64]:
    """Read values for `convolve`: the pixels of an image in [0, 255], or the numbers of a text file.

    Args:
        path: an image, or a .txt or .csv of numbers, in which empty lines separate channels.
        colour: read an image as red, green and blue instead of grey.

    Returns:
        (H, W), or (C, H, W) for colour and for a text of several channels.

    Raises:
        ModelError: a text file does not contain rows of equally many numbers.
    """
    if path.suffix not in (".txt", ".csv"):
        pixels = read_image(path, 3 if colour else 1).astype(np.float64)
        return pixels if colour else pixels[0]
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise ModelError(f"{path}: it is empty; write rows of numbers")
    try:
        comma = "," if "," in text else None
        channels = [
            np.loadtxt(part.splitlines(), delimiter=comma, dtype=np.float64, ndmin=2)
            for part in re.split(r"\n\s*\n", text)
        ]
        return channels[0] if len(channels) == 1 else np.stack(channels)
    except ValueError as error:
        raise ModelError(f"{path}: not rows of numbers ({error}); separate them by spaces or commas") from None


def convolve(
    image: str | Path | ArrayLike,
    kernel: str | ArrayLike = "edge",
    *,
    stride: int = 1,
    padding: int | str = 0,
    border: Border = "zeros",
    mean: bool = False,
) -> ConvolutionResult:
    """Convolve an image with a kernel, with every step of multiply and sum.

    As in deep learning, this is a cross-correlation: the kernel is not flipped.

    Args:
        image: (H, W) or (C, H, W) values, or a file as for `read_values`, in colour if the kernel has three channels.
        kernel: (h, w) or (C, h, w) values, the name of a kernel, or rows of numbers like "1,0,-1;2,0,-2;1,0,-1", with
            bars between channels like "edge|blur|edge".
        stride: pixels between adjacent positions of the window.
        padding: pixels added on each side, or "same".
        border: values of the added pixels: zeros, edge, reflect or circular.
        mean: whether each sum is divided by the number of values.

    Raises:
        ConfigError: `padding` is not a number of pixels.
        ModelError: the kernel is larger than the image, or a file does not contain rows of numbers.
    """
    if padding != "same" and not str(padding).isdigit():
        raise ConfigError(f"padding {padding}: not a number of pixels; give a number, or same")
    amount: Any = padding if padding == "same" else int(padding)
    weights = read_kernel(kernel) if isinstance(kernel, str) else kernel
    values = read_values(Path(image), np.ndim(weights) == 3) if isinstance(image, str | Path) else image
    return convolution(values, weights, stride=stride, padding=amount, border=border, mean=mean)


def as_picture(values: NDArray[np.float64]) -> Image.Image:
    """Convert values to grey levels: the smallest is black, the largest white."""
    value_range = float(np.ptp(values)) or 1.0
    return Image.fromarray(np.rint(255 * (values - values.min()) / value_range).astype(np.uint8))

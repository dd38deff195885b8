"""Convolution computed step by step, as worked by hand, and related calculations."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convscope.errors import ModelError, did_you_mean
from convscope.models.layers import shape_text
from convscope.models.summary.formulas import output_side

Array = NDArray[np.float64]
Border = Literal["zeros", "edge", "reflect", "circular"]

KERNELS: dict[str, tuple[tuple[float, ...], ...]] = {
    "edge": ((1, 0, -1), (2, 0, -2), (1, 0, -1)),
    "edge_horizontal": ((1, 2, 1), (0, 0, 0), (-1, -2, -1)),
    "blur": ((1 / 9, 1 / 9, 1 / 9),) * 3,
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
}
FEW = 64  # values that a console shows
BORDERS = {"zeros": "constant", "edge": "edge", "reflect": "reflect", "circular": "wrap"}  # numpy's names
NOTE = "Deep learning calls this convolution; mathematically it is cross-correlation, as the kernel is not flipped."


@dataclass(frozen=True)
class WindowStep:
    """One window position: the sum of the products of image and kernel values (or their mean)."""

    row: int
    column: int
    window: Array
    kernel: Array
    total: float

    def text(self) -> str:
        """Return the calculation as text; with several channels, one bracket for each and their sums.

        >>> next(convolve([[1, 2], [3, 4]], [[1, 0], [0, 1]]).steps()).text()
        '1x1 + 2x0 + 3x0 + 4x1 = 5'
        >>> next(convolve([[[1, 2]], [[3, 4]]], [[[1, 1]], [[0, -1]]]).steps()).text()
        '[1x1 + 2x1] + [3x0 + 4x(-1)] = 3 + (-4) = -1'
        """
        terms = products_text(self.window, self.kernel)
        if self.window.ndim == 3:
            terms = " + ".join(f"[{products_text(*pair)}]" for pair in zip(self.window, self.kernel, strict=True))
        sums = (self.window * self.kernel).sum(axis=(-2, -1))
        parts = " + ".join(bracketed(value) for value in sums) if self.window.ndim == 3 else ""
        summed = float(np.sum(sums))
        divided = f"{summed:g}/{self.window.size}" if not math.isclose(summed, self.total) else ""
        return " = ".join(text for text in (terms, parts, divided, f"{self.total:g}") if text)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "row": self.row, "column": self.column, "window": self.window.tolist(), "kernel": self.kernel.tolist(),
            "total": self.total,
        }  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class ConvolutionResult:
    """The result of a convolution: `output` (H', W'), and `steps` that explain each of its values."""

    image: Array  # padded
    kernel: Array
    stride: int
    mean: bool
    output: Array

    @property
    def note(self) -> str:
        """What to know of the word."""
        return NOTE

    def __repr__(self) -> str:
        """The shapes, and the values where they are few."""
        (height, width), (rows, columns) = self.image.shape[-2:], self.output.shape
        kernel = " x ".join(map(str, self.kernel.shape))
        shapes = f"image {height} x {width}, kernel {kernel}, stride {self.stride}, output {rows} x {columns}"
        values = "\n".join("  ".join(f"{value:8.4g}" for value in row) for row in self.output)
        return f"Convolution({shapes})" + (f"\n{values}" if self.output.size <= FEW else "")

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def steps(self) -> Iterator[WindowStep]:
        """Yield the window positions row by row, from the upper left to the lower right."""
        height, width = self.kernel.shape[-2:]
        for row, column in np.ndindex(self.output.shape):
            top, left = row * self.stride, column * self.stride
            window = self.image[..., top : top + height, left : left + width]
            yield WindowStep(row, column, window, self.kernel, float(self.output[row, column]))


def bracketed(value: float) -> str:
    """Return a number as text, a negative one in brackets.

    >>> bracketed(-2.0)
    '(-2)'
    """
    return f"{value:g}" if value >= 0 else f"({value:g})"


def products_text(window: Array, kernel: Array) -> str:
    """Return the products of one channel as text."""
    pairs = zip(window.ravel(), kernel.ravel(), strict=True)
    return " + ".join(f"{value:g}x{bracketed(weight)}" for value, weight in pairs)


def read_kernel(text: str) -> Array:
    """Return a kernel by name or parse it: values separated by commas, rows by semicolons, channels by bars.

    Returns:
        (h, w), or (C, h, w) where the text has bars: a filter has the depth of its input.
    Raises:
        ModelError: the text is neither a known name nor a matrix.

    >>> read_kernel("1,0,-1;2,0,-2;1,0,-1").tolist() == read_kernel("edge").tolist()
    True
    >>> read_kernel("edge|edge|blur").shape
    (3, 3, 3)
    """
    if "|" in text:
        channels = [read_kernel(part.strip()) for part in text.split("|")]
        if len({channel.shape for channel in channels}) != 1:
            shapes = ", ".join(shape_text(channel.shape) for channel in channels)
            raise ModelError(f"kernel: the channels of {text} are {shapes}; give every channel the same size")
        return np.stack(channels)
    if text in KERNELS:
        return np.array(KERNELS[text], dtype=np.float64)
    if not any(character.isdigit() for character in text):
        raise ModelError(f"kernel: no {text}{did_you_mean(text, KERNELS)}")
    try:
        rows = [[float(value) for value in row.split(",")] for row in text.strip(";").split(";")]
    except ValueError:
        raise ModelError(f"kernel: {text} is not a list of numbers; write rows such as 1,0,-1;2,0,-2;1,0,-1") from None
    if len({len(row) for row in rows}) != 1:
        raise ModelError(
            f"kernel: the rows of {text} have {[len(row) for row in rows]} values; give every row the same number"
        )
    return np.array(rows, dtype=np.float64)


def convolve(
    image: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: int | Literal["same"] = 0,
    border: Border = "zeros", mean: bool = False,
) -> ConvolutionResult:  # fmt: skip
    """Convolve an image with a kernel, as `torch.nn.functional.conv2d` does.

    Args:
        image: (H, W), or (C, H, W) with a kernel of C channels; the sum runs over the channels too.
        kernel: (h, w) or (C, h, w).
        stride: pixels between window positions.
        padding: pixels added on each side; ``same`` keeps height and width at stride 1, for kernels of even size with
            one pixel more below and on the right, as in TensorFlow.
        border: the padding mode.
        mean: divide each sum by the number of values, as some textbooks do.

    Raises:
        ModelError: the kernel is larger than the padded image, or has other channels; the stride is below 1.
    """
    if stride < 1:
        raise ModelError(f"convolve: stride is {stride}; give a whole number from 1")
    pixels, weights = np.asarray(image, dtype=np.float64), np.asarray(kernel, dtype=np.float64)
    if pixels.ndim != weights.ndim or pixels.shape[:-2] != weights.shape[:-2]:
        raise ModelError(
            f"convolve: the image has shape {pixels.shape} and the kernel {weights.shape}; give both the same "
            "channels, as in edge|edge|edge for three"
        )
    if border not in BORDERS:
        raise ModelError(f"convolve: no border {border}{did_you_mean(border, BORDERS)}")
    sides = weights.shape[-2:]
    margins = [((side - 1) // 2, side // 2) if padding == "same" else (padding, padding) for side in sides]
    mode: Any = BORDERS[border]
    padded = np.pad(pixels, [(0, 0)] * (pixels.ndim - 2) + margins, mode=mode)
    height, width = (output_side(*pair, stride) for pair in zip(padded.shape[-2:], sides, strict=True))
    if height < 1 or width < 1:
        raise ModelError(
            f"convolve: a kernel of {sides} does not fit an image of {padded.shape[-2:]}; "
            "pad the image or use a smaller kernel"
        )
    windows = np.lib.stride_tricks.sliding_window_view(padded, sides, axis=(-2, -1))[..., ::stride, ::stride, :, :]
    subscripts = "cyxhw,chw->yx" if pixels.ndim == 3 else "yxhw,hw->yx"
    output = np.einsum(subscripts, windows, weights) / (weights.size if mean else 1)
    return ConvolutionResult(padded, weights, stride, mean, output)


@dataclass(frozen=True)
class Bottleneck:
    """Multiplications of a convolution, directly and with a 1x1 bottleneck before it."""

    direct: int
    reduce: int
    expand: int

    @property
    def total(self) -> int:
        """Multiplications of both steps of the bottleneck."""
        return self.reduce + self.expand

    @property
    def ratio(self) -> float:
        """By which factor the bottleneck reduces the multiplications."""
        return self.direct / self.total


def bottleneck(sides: Sequence[int], channels: int, narrow: int, size: int, filters: int) -> Bottleneck:
    """Return the multiplications of a size x size convolution from `channels` to `filters`, with `narrow` in between.

    >>> one = bottleneck((14, 14), 480, 16, 5, 48)
    >>> one.direct, one.total, round(one.ratio, 1)
    (112896000, 5268480, 21.4)
    """
    positions, window = math.prod(sides), size ** len(sides)
    return Bottleneck(
        positions * window * channels * filters, positions * channels * narrow, positions * window * narrow * filters
    )


def stacked_3x3(size: int) -> tuple[int, int, int]:
    """Return (weights of a size x size kernel, of the stacked 3x3 with the same receptive field, number of these 3x3).

    >>> stacked_3x3(5), stacked_3x3(7)
    ((25, 18, 2), (49, 27, 3))
    """
    count = (size - 1) // 2
    return size * size, 9 * count, count


@dataclass(frozen=True)
class Separability:
    """How close a kernel is to separable, a column times a row, with 2k instead of k x k weights.

    `rank` is its matrix rank; `error` is the relative error (Frobenius norm) of the rank-one approximation.
    """

    rank: int
    values: Array
    column: Array
    row: Array
    error: float


def separability(kernel: ArrayLike, tolerance: float = 1e-6) -> Separability:
    """Return the best rank-one approximation of a kernel (h, w), from its singular values, largest first.

    Singular values below `tolerance` times the largest count as zero.
    """
    weights = np.asarray(kernel, dtype=np.float64)
    left, values, right = np.linalg.svd(weights)
    root = math.sqrt(values[0])
    total = float(np.square(values).sum())
    error = math.sqrt(float(np.square(values[1:]).sum()) / total) if total else 0.0
    return Separability(int((values > tolerance * values[0]).sum()), values, left[:, 0] * root, right[0] * root, error)


def kernel_ranks(filters: ArrayLike, tolerance: float = 0.05) -> NDArray[np.int64]:
    """Return the rank of each kernel of trained filters (K, C, h, w) as (K, C); a kernel of rank 1 is separable.

    Singular values below `tolerance` times the largest count as zero: trained filters are never exactly low-rank.
    """
    values = np.linalg.svd(np.asarray(filters, dtype=np.float64), compute_uv=False)
    return np.asarray((values > tolerance * values[..., :1]).sum(-1), dtype=np.int64)

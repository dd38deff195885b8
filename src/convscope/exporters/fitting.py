"""`datasets.inputs.fitting` as a graph: pictures of any size to the network's input, equal to it in every pixel.

ONNX's Resize is not used: with antialias its bicubic weights are floats, and it does not round between its two passes,
as PyTorch does for bytes. Here the weights are PyTorch's (`upsample_bicubic2d_aa` on uint8): integers of 15 bits,
columns first, each pass rounded to bytes.
"""

from dataclasses import dataclass

from convscope.datasets.inputs.fitting import PAD, STRETCH, Fit
from convscope.datasets.inputs.jpeg import SHRINKS
from convscope.datasets.inputs.raster import LARGE
from convscope.exporters.graph import Graph, Value

CUBIC = -0.5  # Pillow's and PyTorch's parameter of the bicubic kernel
MOST_BITS = 22
FIRST_TOO_LARGE = 2.0**15


@dataclass(frozen=True)
class Fitting:
    """Sizes as (F, 2) float64 of height and width: of the files, `whole`, and of the network's input, `size`."""

    graph: Graph
    whole: Value
    size: Value
    how: Fit

    def shrink(self) -> Value:
        """(F, 1) factor by which a decoder may reduce the files; see `fitting.reduction`."""
        covered = self.padded_size() if self.how == PAD else self.size
        scale = (covered / self.whole).reduce("Max", [1])
        least = self.graph.node("Ceil", self.whole * scale)
        factor = self.graph.constant(1.0, "float64")
        for by in reversed(SHRINKS):
            fits = (least * float(by) <= self.whole).to("int64").reduce("Min", [1]) > 0
            factor = self.graph.where(fits, float(by), factor)
        return factor

    def padded_size(self) -> Value:
        """(F, 2) the size of the picture inside a padded input; see `fitting.padded_content`."""
        scale = (self.size / self.whole).reduce("Min", [1])
        rounded = self.graph.node("Round", self.whole * scale)
        return self.graph.node("Max", self.graph.node("Min", self.size, rounded), 1.0)

    def padded_start(self) -> Value:
        """(F, 2) its top and left."""
        return self.graph.node("Floor", (self.size - self.padded_size()) / 2.0)

    def window(self) -> tuple[Value, Value]:
        """(F, 2) starts and ends, rows first, of the part of the files that the input shows; see `visible_window`."""
        if self.how == STRETCH:
            return self.whole * 0.0, self.whole
        if self.how == PAD:
            ratio = self.whole / self.padded_size()  # file pixels per input pixel
            return -self.padded_start() * ratio, (self.size - self.padded_start()) * ratio
        scale, by = (self.size / self.whole).reduce("Max", [1]), self.shrink()
        rounded = self.graph.node("Round", self.size / scale)
        kept = self.graph.node("Min", self.whole, self.graph.node("Max", rounded, 1.0))
        middle = self.graph.node("Floor", (self.whole - kept) / 2.0)
        start = self.graph.node("Floor", middle / by) * by
        return start, start + kept


def covering(graph: Graph, whole: Value, size: tuple[int, int]) -> Value:
    """(F, 2) the smallest size with the shape of the files that covers `size`; see `fitting.covering`."""
    scale = (graph.constant([size], "float64") / whole).reduce("Max", [1])
    return graph.node("Max", graph.node("Round", whole * scale), 1.0)


def reduced(fitting: Fitting, pixels: Value) -> Value:
    """(B, H, W, C) pictures of more than `LARGE` pixels averaged over blocks, as they are while files are read."""
    graph, sides = fitting.graph, sides_of(pixels)
    by = fitting.shrink().pick(0, 0).pick(0, 0).to("int64")
    large = sides.pick(0, 0) * sides.pick(1, 0) > LARGE
    unreduced = sides.to("float64").equals(fitting.whole.pick(0, 0)).all()
    return graph.choose(large & unreduced & (by > 1), lambda: _averaged(pixels, sides, by), lambda: pixels)


def fitted(fitting: Fitting, pixels: Value) -> Value:
    """(B, h, w, C) uint8 pictures at the network's size; those of that size are returned unchanged."""
    graph = fitting.graph
    same = sides_of(pixels).to("float64").equals(fitting.size.pick(0, 0)).all()
    make = _padded if fitting.how == PAD else _cropped
    return graph.choose(same, lambda: pixels, lambda: make(fitting, pixels))


def sides_of(pixels: Value) -> Value:
    """(2,) int64 height and width of (B, H, W, C)."""
    return pixels.graph.node("Shape", pixels, dtype="int64", start=1, end=3)


def _decoded_by(fitting: Fitting, pixels: Value) -> Value:
    """The factor by which the pictures were reduced before: 1 if they have the size of their file."""
    unreduced = sides_of(pixels).to("float64").equals(fitting.whole.pick(0, 0)).all()
    return fitting.graph.where(unreduced, 1.0, fitting.shrink().pick(0, 0).pick(0, 0))


def _cropped(fitting: Fitting, pixels: Value) -> Value:
    start, end = (ends.pick(0, 0) for ends in fitting.window())
    return _resized(pixels, (start, end), _decoded_by(fitting, pixels), fitting.size.pick(0, 0))


def _padded(fitting: Fitting, pixels: Value) -> Value:
    graph, size, whole = fitting.graph, fitting.padded_size().pick(0, 0), fitting.whole.pick(0, 0)
    same = sides_of(pixels).to("float64").equals(size).all()
    by = _decoded_by(fitting, pixels)
    content = graph.choose(same, lambda: pixels, lambda: _resized(pixels, (whole * 0.0, whole), by, size))
    mean = graph.node("Round", content.to("float64").reduce("Mean", [1, 2]))
    start = fitting.padded_start().pick(0, 0)
    rest = fitting.size.pick(0, 0) - size - start
    zero = graph.constant([0], "int64")
    amounts = graph.node("Concat", zero, start.to("int64"), zero, zero, rest.to("int64"), zero, axis=0)
    around = graph.node("Pad", content.to("float64") - mean, amounts)
    return (around + mean).to("uint8")


def _averaged(pixels: Value, sides: Value, by: Value) -> Value:
    """Means of blocks of `by` x `by`, rounded; blocks at the end have fewer pixels."""
    graph = pixels.graph
    blocks = (sides + by - 1) / by
    zero = graph.constant([0], "int64")
    missing = blocks * by - sides
    amounts = graph.node("Concat", zero, zero, zero, zero, zero, missing, zero, axis=0)
    padded = graph.node("Pad", pixels.to("float32"), amounts)
    rows, columns = blocks.pick(0, 0), blocks.pick(1, 0)
    channels = graph.node("Shape", pixels, dtype="int64", start=3, end=4)
    shape = graph.node("Concat", graph.vector(0, rows, by, columns, by), channels, axis=0)
    total = graph.node("Reshape", padded, shape).reduce("Sum", [2, 4], keep=False)
    counts = [_block_counts(sides.pick(axis, 0), blocks.pick(axis, 0), by) for axis in (0, 1)]
    return graph.node("Round", total / (counts[0].reshape(1, -1, 1, 1) * counts[1].reshape(1, 1, -1, 1))).to("uint8")


def _block_counts(side: Value, count: Value, by: Value) -> Value:
    """(count,) float32: pixels of each block along a side."""
    graph = side.graph
    left = side - graph.range(count, "int64") * by
    return graph.node("Min", left, by).to("float32")


def _resized(pixels: Value, window: tuple[Value, Value], by: Value, size: Value) -> Value:
    """A window, in pixels of the file, of pictures that are reduced by `by`, at `size`; see `fitting._resized`."""
    graph = pixels.graph
    first = graph.node("Floor", window[0] / by).to("int64")
    last = graph.node("Ceil", window[1] / by).to("int64")
    last = graph.node("Min", last, sides_of(pixels))
    part = graph.node("Slice", pixels, first, last, graph.constant([1, 2], "int64"))
    x = graph.node("Transpose", part, perm=[0, 3, 1, 2]).to("float64")
    scale = (window[1] - window[0]) / (size * by)
    length = last - first
    rows, columns = (
        _weights(length.pick(axis, 0), size.pick(axis, 0).to("int64"), scale.pick(axis, 0)) for axis in (0, 1)
    )
    x = _rounded(x @ graph.node("Transpose", columns[0], perm=[1, 0]), columns[1])
    x = _rounded(rows[0] @ x, rows[1])
    return graph.node("Transpose", x.to("uint8"), perm=[0, 2, 3, 1])


def _rounded(total: Value, unit: Value) -> Value:
    return total.graph.node("Clip", total.graph.node("Floor", total / unit + 0.5), 0.0, 255.0)


def _weights(inputs: Value, outputs: Value, scale: Value) -> tuple[Value, Value]:
    """(outputs, inputs) weights as whole numbers, and the number that stands for 1.

    A side of the same length is left as it is whatever the scale, as in PyTorch.
    """
    graph = inputs.graph
    scale = graph.where(inputs.equals(outputs), 1.0, scale)
    wide = graph.node("Max", scale, 1.0)
    center = (scale * (graph.range(outputs) + 0.5)).reshape(-1, 1)
    first = graph.node("Max", center - wide * 2.0 + 0.5, 0.0).to("int64")
    last = graph.node("Min", (center + wide * 2.0 + 0.5).to("int64"), inputs)
    position = graph.range(inputs, "int64").reshape(1, -1)
    inside = (position >= first) & (position < last)
    kernel = _cubic((position.to("float64") - center + 0.5) / wide)
    kernel = graph.where(inside, kernel, 0.0)
    kernel = kernel / kernel.reduce("Sum", [1])
    unit = _unit(kernel.reduce("Max", [0, 1], keep=False))
    halves = graph.where(kernel < 0.0, -0.5, 0.5, "float64")
    return (kernel * unit + halves).to("int64").to("float64"), unit


def _cubic(distance: Value) -> Value:
    x = distance.graph.node("Abs", distance)
    near = ((x * (CUBIC + 2) - (CUBIC + 3)) * x) * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * CUBIC
    return x.graph.where(x < 1.0, near, x.graph.where(x < 2.0, far, 0.0))


def _unit(largest: Value) -> Value:
    """The power of two for which the largest weight has 15 bits, as PyTorch chooses it."""
    graph = largest.graph
    units = graph.constant([2.0**bits for bits in range(1, MOST_BITS + 1)], "float64")
    small = graph.node("Floor", units * largest + 0.5) < FIRST_TOO_LARGE
    return graph.node("Max", graph.where(small, units, 1.0).reduce("Max", [0], keep=False), 1.0)

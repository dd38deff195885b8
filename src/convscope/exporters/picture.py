"""The graph around a network: from pictures of any size to answers in pixels of the file."""

from convscope.datasets.inputs.fitting import CROP, PAD
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.exported.facts import FILE_SIZE, IMAGE
from convscope.exporters.fitting import Fitting, covering, fitted, reduced, sides_of
from convscope.exporters.graph import Graph, Value
from convscope.predictions import AnswerPlace

GREY = (0.299, 0.587, 0.114)  # as for arrays in `datasets.inputs.raster`


class PictureGraph:
    """Nodes before and after the network, for one preprocessing.

    Args:
        preprocessing: of the network, with the size of its input.
        any_size: whether the task predicts images of any size without cropping.
        multiple: the sides of the network's input are padded to a multiple of this, if it is not 0.
    """

    def __init__(self, preprocessing: ImagePreprocessing, any_size: bool, multiple: int) -> None:
        self.preprocessing, self.multiple = preprocessing, multiple
        self.graph = Graph("picture/")
        self.image = Value(self.graph, IMAGE, "uint8")
        self.file_size = Value(self.graph, FILE_SIZE, "int64")
        pixels = self._channels()
        sides = sides_of(pixels).reshape(1, 2)
        whole = self.graph.where(self.file_size > 0, self.file_size, sides).to("float64")
        if any_size and preprocessing.fit == CROP:
            size = covering(self.graph, whole, preprocessing.size)
        else:
            size = self.graph.constant([preprocessing.size], "float64")
        self.fitting = Fitting(self.graph, whole, size, preprocessing.fit)
        self.pixels = fitted(self.fitting, reduced(self.fitting, pixels))

    def network_input(self) -> Value:
        """(B, C, h, w) float32, normalised; at the end of rows and columns padded with the last pixel."""
        graph, settings = self.graph, self.preprocessing
        x = graph.node("Transpose", self.pixels, perm=[0, 3, 1, 2]).to("float32") / 255.0
        mean, std = (graph.constant(values, "float32").reshape(1, -1, 1, 1) for values in (settings.mean, settings.std))
        x = (x - mean) / std
        if self.multiple > 1:
            sides = sides_of(self.pixels)
            steps = (sides + (self.multiple - 1)) / self.multiple
            missing = steps * self.multiple - sides
            x = graph.node(
                "Pad", x, graph.node("Concat", graph.constant([0] * 6, "int64"), missing, axis=0), mode="edge"
            )
        return x

    def answer(self, value: Value, place: AnswerPlace | None) -> Value:
        """An output of the network in pixels of the file."""
        if place is None:
            return value
        return self._corners(value) if place == "corners" else self._classes_of_pixels(value)

    def _channels(self) -> Value:
        """The picture with the network's channels: a grey network accepts colours too."""
        if self.preprocessing.channels != 1:
            return self.image
        graph = self.graph
        channels = graph.node("Shape", self.image, dtype="int64", start=3, end=4).pick(0, 0)
        return graph.choose(channels.equals(1), lambda: self.image, self._grey)

    def _grey(self) -> Value:
        weights = self.graph.constant([[part] for part in GREY], "float64")
        return self.graph.node("Round", self.image.to("float64") @ weights).to("uint8")

    def _corners(self, boxes: Value) -> Value:
        """(B, 4) xyxy in pixels of the input to pixels of the files, clipped to them; see `boxes.to_file_pixels`."""
        graph = self.graph
        start, end = (self._across_down(ends) for ends in self.fitting.window())
        scale = (end - start) / self._across_down(self.fitting.size)
        x = start + boxes.to("float64") * scale
        edge = self._across_down(self.fitting.whole)
        return graph.node("Min", graph.node("Max", x, 0.0), edge).to("float32")

    def _across_down(self, sides: Value) -> Value:
        """(F, 4) of (F, 2): width, height, width, height."""
        return self.graph.node("Gather", sides, self.graph.constant([1, 0, 1, 0], "int64"), axis=1)

    def _classes_of_pixels(self, scores: Value) -> Value:
        """(B, H, W) uint8: the class with the largest score, interpolated at each pixel of the file."""
        graph = self.graph
        sides, axes = sides_of(self.pixels), graph.constant([2, 3], "int64")
        first, last = graph.constant([0, 0], "int64"), sides
        if self.preprocessing.fit == PAD:
            first, last = self._content(sides)
        scores = graph.node("Slice", scores, first, last, axes)
        whole = self.fitting.whole.pick(0, 0).to("int64")
        for axis in (0, 1):
            scores = _enlarged(scores, axis + 2, whole.pick(axis, 0))
        return graph.node("ArgMax", scores, dtype="int64", axis=1, keepdims=0).to("uint8")

    def _content(self, sides: Value) -> tuple[Value, Value]:
        """Start and end of the part of a padded input that shows the file; see `segment._without_padding`."""
        graph = self.graph
        start, end = (ends.pick(0, 0) for ends in self.fitting.window())
        whole = self.fitting.whole.pick(0, 0)
        scale = sides.to("float64") / (end - start)
        first = graph.node("Max", graph.node("Round", -start * scale), 0.0)
        last = graph.node("Min", graph.node("Round", (whole - start) * scale), sides.to("float64"))
        return first.to("int64"), last.to("int64")


def _enlarged(x: Value, axis: int, length: Value) -> Value:
    """Linear interpolation along one axis, with the float32 positions of `interpolate(align_corners=False)`."""
    graph = x.graph
    inputs = graph.node("Shape", x, dtype="int64", start=axis, end=axis + 1).pick(0, 0)
    scale = inputs.to("float32") / length.to("float32")
    position = graph.node("Max", (graph.range(length, "float32") + 0.5) * scale - 0.5, 0.0)
    low = graph.node("Min", position.to("int64"), inputs - 1)
    high = graph.node("Min", low + 1, inputs - 1)
    share = position - low.to("float32")
    shape = (-1,) if axis == 3 else (-1, 1)
    share = share.reshape(*shape)
    before, after = (graph.node("Gather", x, index, axis=axis) for index in (low, high))
    return before * (-share + 1.0) + after * share

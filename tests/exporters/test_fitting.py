"""The graph's resizing equals the product's in every pixel."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from convscope.datasets.inputs import fitting
from convscope.datasets.inputs.raster import ArrayRaster, gather
from convscope.exporters.fitting import Fitting, covering, fitted, reduced, sides_of
from convscope.exporters.graph import Graph, Value, onnx_type


def session_of(size, how, any_size=False):
    graph = Graph("")
    image, file_size = Value(graph, "image", "uint8"), Value(graph, "file_size", "int64")
    whole = graph.where(file_size > 0, file_size, sides_of(image).reshape(1, 2)).to("float64")
    target = covering(graph, whole, size) if any_size else graph.constant([size], "float64")
    settings = Fitting(graph, whole, target, how)
    pixels = fitted(settings, reduced(settings, image))
    start, end = settings.window()
    results = {"pixels": (pixels, 4), "start": (start, 2), "end": (end, 2)}
    nodes = [
        *graph.nodes,
        *(helper.make_node("Identity", [value.name], [name]) for name, (value, _) in results.items()),
    ]
    inputs = [
        helper.make_tensor_value_info("image", onnx_type("uint8"), ["B", "H", "W", "C"]),
        helper.make_tensor_value_info("file_size", onnx_type("int64"), ["F", 2]),
    ]
    outputs = [
        helper.make_tensor_value_info(name, onnx_type(value.dtype), [None] * rank)
        for name, (value, rank) in results.items()
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "fit", inputs, outputs), opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("how", "any_size"), [("crop", False), ("crop", True), ("pad", False), ("stretch", False)])
def test_pictures_of_any_size_become_the_same_pixels_as_in_the_product(how, any_size):
    size, random = (20, 28), np.random.default_rng(0)
    session = session_of(size, how, any_size)
    for number in range(24):
        whole = tuple(int(side) for side in random.integers(3, 300, 2))
        target = fitting.covering(whole, size) if any_size else size
        by = fitting.reduction(whole, target, how) if number % 2 else 1
        full = random.integers(0, 256, (*whole, 3), dtype=np.uint8)
        pixels = gather(ArrayRaster(full, 3), ((0.0,), (255.0,)), by)
        expected = fitting.fit(pixels, whole, target, how)
        given = [whole] if number % 2 else [[0, 0]]
        found, start, end = session.run(None, {"image": pixels[None], "file_size": np.array(given, np.int64)})
        assert np.array_equal(found[0], expected), (whole, by)
        left, top, right, bottom = fitting.visible_window(whole, target, how)
        assert np.allclose([*start[0], *end[0]], [top, left, bottom, right], atol=1e-9)


def test_pictures_of_more_than_sixteen_million_pixels_are_averaged_first_as_in_the_product(monkeypatch):
    monkeypatch.setattr("convscope.exporters.fitting.LARGE", 2000)
    monkeypatch.setattr("convscope.datasets.inputs.raster.LARGE", 2000)
    full = np.random.default_rng(1).integers(0, 256, (101, 99, 3), dtype=np.uint8)
    by = fitting.reduction((101, 99), (12, 12))
    assert by == 4
    expected = fitting.fit(gather(ArrayRaster(full, 3), ((0.0,), (255.0,)), by), (101, 99), (12, 12))
    found = session_of((12, 12), "crop").run(["pixels"], {"image": full[None], "file_size": np.zeros((1, 2), np.int64)})
    assert np.array_equal(found[0][0], expected)

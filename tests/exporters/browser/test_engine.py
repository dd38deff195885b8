"""The engine in JavaScript computes what ONNX Runtime and the product's resizing compute."""

import base64

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from convscope.datasets.inputs import fitting
from convscope.exporters.page_graph import operators

pytestmark = [pytest.mark.browser, pytest.mark.slow]
R = np.random.default_rng(0)


def normal(*shape):
    return R.standard_normal(shape).astype(np.float32)


def whole(*values):
    return np.array(values, np.int64)


X = normal(1, 4, 9, 7)
CASES = [
    ("Conv", [X, normal(6, 4, 3, 3), normal(6)], {"strides": [2, 1], "pads": [1, 0, 2, 1]}),
    ("Conv", [X, normal(6, 2, 3, 2)], {"group": 2, "dilations": [2, 3]}),
    ("Conv", [X, normal(8, 1, 3, 3), normal(8)], {"group": 4, "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ("Conv", [X, normal(5, 4, 1, 1), normal(5)], {}),
    ("ConvTranspose", [X, normal(4, 3, 2, 2), normal(3)], {"strides": [2, 2]}),
    ("ConvTranspose", [X, normal(4, 2, 3, 3)], {"strides": [2, 1], "pads": [1, 0, 1, 1], "group": 2}),
    ("MaxPool", [X], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1], "ceil_mode": 1}),
    ("AveragePool", [X], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", [X], {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 1, 1, 0], "count_include_pad": 1}),
    ("BatchNormalization", [X, normal(4), normal(4), normal(4), np.abs(normal(4))], {"epsilon": 0.01}),
    ("Gemm", [normal(2, 5), normal(3, 5), normal(3)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("Gemm", [normal(5, 2), normal(5, 3)], {"transA": 1}),
    ("MatMul", [normal(2, 5), normal(5, 3)], {}),
    *[(name, [X], {}) for name in ("Relu", "Sigmoid", "Tanh", "Exp", "Erf", "Neg", "Softplus", "HardSwish", "Elu")],
    *[(name, [X], {}) for name in ("HardSigmoid", "LeakyRelu", "GlobalAveragePool", "Identity")],
    ("Sqrt", [np.abs(X)], {}),
    ("Gelu", [X], {}),
    ("Gelu", [X], {"approximate": "tanh"}),
    ("Clip", [X, np.float32(-0.5), np.float32(0.7)], {}),
    ("Softmax", [X], {"axis": 1}),
    *[(name, [X, normal(4, 1, 1)], {}) for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu")],
    ("Pow", [np.abs(X), np.float32(1.5)], {}),
    ("GreaterOrEqual", [X, normal(1)], {}),
    ("ReduceMean", [X, whole(2, 3)], {"keepdims": 0}),
    ("ReduceMean", [X, whole(1)], {}),
    ("ReduceSum", [X, whole(-1)], {}),
    ("ReduceMax", [X, whole(1)], {"keepdims": 0}),
    ("ArgMax", [X], {"axis": 1, "keepdims": 0}),
    ("Reshape", [X, whole(0, -1)], {}),
    ("Flatten", [X], {"axis": 2}),
    ("Unsqueeze", [X, whole(0, -1)], {}),
    ("Squeeze", [X, whole(0)], {}),
    ("Cast", [X], {"to": TensorProto.FLOAT}),
    ("Transpose", [X], {"perm": [0, 3, 1, 2]}),
    ("Concat", [X, normal(1, 2, 9, 7)], {"axis": 1}),
    ("Slice", [X, whole(-1, 1), whole(-100, 6), whole(3, 2), whole(-1, 2)], {}),
    ("Slice", [X, whole(1), whole(2**63 - 1), whole(1)], {}),
    ("Pad", [X, whole(0, 0, 2, 1, 0, 0, 1, 3), np.float32(0.25)], {}),
    ("Pad", [X, whole(0, 0, 2, 1, 0, 0, 1, 3)], {"mode": "edge"}),
    ("Pad", [X, whole(1, 1, 1, 1), np.float32(0), whole(2, 3)], {"mode": "reflect"}),
]


def expected(operator, inputs, attributes):
    names = [f"x{number}" for number in range(len(inputs))]
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in zip(names, map(np.asarray, inputs), strict=True)
    ]
    node = helper.make_node(operator, names, ["y"], **attributes)
    kind = {"ArgMax": TensorProto.INT64, "GreaterOrEqual": TensorProto.BOOL}.get(operator, TensorProto.FLOAT)
    graph = helper.make_graph([node], "one", given, [helper.make_tensor_value_info("y", kind, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, map(np.asarray, inputs), strict=True)))[0]


RUN = """([operator, inputs, attributes]) => {
  const numbers = (type, data) => (type === "f" ? Float32Array : Float64Array).from(data);
  const read = ({ shape, data, type }) => engine.tensor(shape, numbers(type, data));
  const { shape, data } = engine.OPERATORS[operator](inputs.map(read), attributes);
  return { shape: [...shape], data: [...data] };
}"""


def test_every_operator_gives_the_numbers_of_onnx_runtime(engine):
    assert {operator for operator, _, _ in CASES} == operators()
    for operator, inputs, attributes in CASES:
        truth = expected(operator, inputs, attributes)
        arrays = [np.asarray(value) for value in inputs]
        given = [
            {"shape": list(value.shape), "data": value.astype(float).ravel().tolist(), "type": value.dtype.kind}
            for value in arrays
        ]
        found = engine.run(RUN, [operator, given, attributes])
        assert found["shape"] == list(truth.shape), (operator, attributes)
        assert np.allclose(np.array(found["data"]), truth.ravel().astype(float), atol=2e-5), (operator, attributes)


FIT = """([text, height, width, channels, size, how, free]) => {
  const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const target = free ? engine.covering([height, width], size) : size;
  const found = engine.fit({ data, height, width, channels }, target, how);
  let written = "";
  for (const value of found.data) written += String.fromCharCode(value);
  const window = engine.visibleWindow([height, width], target, how);
  return { data: btoa(written), shape: [found.height, found.width], window };
}"""


@pytest.mark.parametrize(("how", "free"), [("crop", False), ("crop", True), ("pad", False), ("stretch", False)])
def test_pictures_become_the_same_pixels_as_in_training(engine, how, free):
    size, random = (20, 28), np.random.default_rng(3)
    for _ in range(20):
        sides = tuple(int(side) for side in random.integers(3, 300, 2))
        pixels = random.integers(0, 256, (*sides, 3), dtype=np.uint8)
        target = fitting.covering(sides, size) if free else size
        truth = fitting.fit(pixels, sides, target, how)
        text = base64.b64encode(pixels.tobytes()).decode()
        found = engine.run(FIT, [text, *sides, 3, list(size), how, free])
        data = np.frombuffer(base64.b64decode(found["data"]), np.uint8).reshape(*found["shape"], 3)
        assert np.array_equal(data, truth), (sides, how)
        left, top, right, bottom = fitting.visible_window(sides, target, how)
        assert found["window"] == pytest.approx({"left": left, "top": top, "right": right, "bottom": bottom})

"""The Open Inference Protocol: metadata, JSON tensors, binary tensors, and its errors."""

import json
import struct

import numpy as np
import pytest
from PIL import Image

import convscope as cs
from helpers.bundles import drawn

URL = "/v2/models/animals/infer"


def binary_request(head: dict, *parts: bytes) -> dict:
    """Return the content and the headers of a request with binary data."""
    content = json.dumps(head).encode()
    return {"content": content + b"".join(parts), "headers": {"Inference-Header-Content-Length": str(len(content))}}


def test_the_server_and_its_models_describe_themselves(client):
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/animals/ready").json() == {"name": "animals", "ready": True}
    content = client.get("/v2/models/animals").json()
    assert (content["name"], content["platform"]) == ("animals", "pytorch")
    assert content["versions"] == [client.get("/card").json()["version"]]
    assert content["inputs"] == [
        {"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
        {"name": "file", "datatype": "BYTES", "shape": [-1]},
    ]
    assert content["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "confidence", "datatype": "FP32", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]},
    ]


def test_pixels_as_json_are_predicted_as_the_file_of_these_pixels(client, animals, tmp_path):
    file = drawn(tmp_path / "a.png", size=(40, 30))
    pixels = np.asarray(Image.open(file))
    given = {"name": "image", "datatype": "UINT8", "shape": [1, 40, 30, 3], "data": pixels.tolist()}
    response = client.post(URL, json={"id": "7", "inputs": [given]})
    assert response.headers["content-type"] == "application/json"
    content = response.json()
    assert (content["model_name"], content["id"]) == ("animals", "7")
    (expected,) = cs.predict(animals, file)
    label, confidence, probabilities = content["outputs"]
    assert (label["shape"], label["data"]) == ([1], [expected.label])
    assert confidence["data"] == pytest.approx([expected.confidence], abs=1e-6)
    assert probabilities["shape"] == [1, 3]
    assert probabilities["data"] == pytest.approx(expected.probabilities, abs=1e-6)


def test_files_as_binary_data_are_predicted_and_the_outputs_are_binary(client, animals, tmp_path):
    files = [drawn(tmp_path / f"{n}.png", seed=n) for n in range(2)]
    data = b"".join(struct.pack("<I", len(f.read_bytes())) + f.read_bytes() for f in files)
    given = {
        "name": "file",
        "datatype": "BYTES",
        "shape": [2],
        "parameters": {"binary_data_size": len(data)},
    }
    head = {"inputs": [given], "parameters": {"binary_data_output": True}}
    response = client.post(URL, **binary_request(head, data))
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers["inference-header-content-length"])
    outputs = json.loads(response.content[:length])["outputs"]
    sizes = [one["parameters"]["binary_data_size"] for one in outputs]
    first, second = cs.predict(animals, files)
    assert response.content[length : length + sizes[0]] == b"".join(
        struct.pack("<I", 3) + one.label.encode() for one in (first, second)
    )
    probabilities = np.frombuffer(response.content[-sizes[2] :], "<f4").reshape(2, 3)
    np.testing.assert_allclose(probabilities, [first.probabilities, second.probabilities], atol=1e-6)


def test_only_the_named_outputs_are_sent(client):
    pixels = np.zeros((2, 16, 12, 3), np.uint8)
    given = {
        "name": "image",
        "datatype": "UINT8",
        "shape": [2, 16, 12, 3],
        "parameters": {"binary_data_size": pixels.size},
    }
    outputs = [{"name": "confidence", "parameters": {"binary_data": True}}, {"name": "label"}]
    response = client.post(URL, **binary_request({"inputs": [given], "outputs": outputs}, pixels.tobytes()))
    length = int(response.headers["inference-header-content-length"])
    found = json.loads(response.content[:length])["outputs"]
    assert [(one["name"], one.get("parameters")) for one in found] == [
        ("confidence", {"binary_data_size": 8}),
        ("label", None),
    ]


PIXELS = {"name": "image", "datatype": "UINT8", "shape": [1, 2, 1, 3], "data": [0] * 6}


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ([], "request: not a JSON object; see the Open Inference Protocol"),
        ({}, "inputs: missing; give at least one tensor with name, shape, datatype and data"),
        ({"inputs": [PIXELS, PIXELS]}, "inputs: 2 tensors; send one, image or file"),
        ({"inputs": [PIXELS | {"name": "imag"}]}, "inputs: no imag; did you mean image?"),
        ({"inputs": [PIXELS | {"datatype": "UINT9"}]}, "inputs: image: datatype UINT9; did you mean UINT8?"),
        ({"inputs": [PIXELS | {"shape": [-1]}]}, "inputs: image: shape [-1]; give a list of whole numbers"),
        ({"inputs": [PIXELS | {"shape": [7]}]}, "inputs: image: 6 values for shape [7]; send as many as it has"),
        (
            {"inputs": [PIXELS | {"shape": [6]}]},
            "inputs: image: UINT8 of 6; send UINT8 of images x height x width x channels",
        ),
        (
            {"inputs": [PIXELS | {"data": [300] * 6}]},
            "inputs: image: data are not numbers of UINT8; send a list of them",
        ),
        (
            {"inputs": [PIXELS | {"name": "file", "datatype": "BYTES"}]},
            "inputs: file: JSON holds no files; send them as binary data",
        ),
        (
            {"inputs": [PIXELS | {"parameters": {"binary_data_size": 6}}]},
            "inputs: image: binary_data_size 6; 0 bytes follow",
        ),
        ({"inputs": [PIXELS], "outputs": [{"name": "labels"}]}, "outputs: no labels; did you mean label?"),
    ],
)
def test_a_request_that_is_not_valid_is_refused_with_the_reason(client, head, message):
    response = client.post(URL, json=head)
    assert (response.status_code, response.json()["error"]) == (400, message)


def test_a_wrong_length_compressed_content_and_an_unknown_model_are_refused(client):
    response = client.post(URL, content=b"{}", headers={"Inference-Header-Content-Length": "3"})
    message = "Inference-Header-Content-Length: 3 of 2 bytes; send the length of the JSON part"
    assert (response.status_code, response.json()["error"]) == (400, message)
    response = client.post(URL, content=b"{}", headers={"Content-Encoding": "gzip"})
    message = "Content-Encoding: compressed requests are not read; send the request as it is"
    assert (response.status_code, response.json()["error"]) == (400, message)
    assert client.get("/v2/models/animal").json()["error"] == "model: no animal; did you mean animals?"

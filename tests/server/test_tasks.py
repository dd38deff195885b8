"""Every task is served with the answers of `predict`, as JSON and as tensors."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from convscope.api import Predictor
from convscope.tasks import TASKS
from helpers.bundles import drawn, saved_task


@pytest.mark.parametrize("task", TASKS)
def test_a_task_s_answers_equal_those_of_predict(served, tmp_path, task):
    saved_task(tmp_path / "model", task)
    client = served(tmp_path / "model")
    files = [drawn(tmp_path / f"{n}.png", seed=n, size=(48, 40 + 8 * n)) for n in range(3)]
    form = [("image", (str(file), file.read_bytes())) for file in files]
    found = client.post("/predict", files=form).json()["predictions"]
    expected = [one.to_dict() for one in Predictor.open(tmp_path / "model").stream(files, out=tmp_path / "out")]
    assert len(found) == 3
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for key, value in other.items():
            if key == "mask":
                content = base64.b64decode(one[key].removeprefix("data:image/png;base64,"))
                np.testing.assert_array_equal(Image.open(io.BytesIO(content)), Image.open(value))
            elif isinstance(value, str) or (isinstance(value, list) and isinstance(value[:1], str)):
                assert one[key] == value
            else:
                assert one[key] == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_the_tensors_of_a_task_are_those_that_it_describes(served, tmp_path, task):
    saved_task(tmp_path / "model", task)
    client = served(tmp_path / "model")
    described = client.get("/v2/models/model").json()["outputs"]
    given = {"name": "image", "datatype": "UINT8", "shape": [2, 16, 16, 3], "data": [0] * (2 * 16 * 16 * 3)}
    found = client.post("/v2/models/model/infer", json={"inputs": [given]}).json()["outputs"]
    assert [(one["name"], one["datatype"], one["shape"][1:]) for one in found] == [
        (one["name"], one["datatype"], one["shape"][1:]) for one in described
    ]
    assert all(one["shape"][0] == 2 for one in found)

"""``POST /explain``: a heat map of the class that `predict` predicts, or of a named one."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import convscope as cs
from convscope.analysis.selection import attribution_layer
from convscope.bundle import load_bundle
from convscope.datasets import read_image
from convscope.explainers import overlay
from convscope.explainers.attribution.grad_cam import grad_cam
from helpers.bundles import drawn, saved_task


def test_the_map_is_that_of_the_predicted_class_over_the_input(client, animals, tmp_path):
    file = drawn(tmp_path / "a.png", size=(40, 30))
    response = client.post("/explain", content=file.read_bytes())
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    (expected,) = cs.predict(animals, file)
    assert response.headers["convscope-class"] == expected.label
    picture = np.asarray(Image.open(io.BytesIO(response.content)))
    model, config = load_bundle(animals)
    pixels = read_image(file, 3, config.preprocessing.size)
    x = config.preprocessing(torch.from_numpy(pixels[None]))
    found = grad_cam(model, x, attribution_layer(model, x))
    large = (pixels / np.float32(255)).repeat(19, 1).repeat(19, 2)
    assert picture.shape == (16 * 19, 12 * 19, 3)
    assert np.abs(picture.astype(int) - overlay(large, found.maps[0])).max() <= 1


def test_a_named_class_and_method_are_used_and_wrong_ones_refused(client, tmp_path):
    content = drawn(tmp_path / "a.png").read_bytes()
    response = client.post("/explain?target=dog&method=input_gradients", files={"image": ("a.png", content)})
    assert (response.status_code, response.headers["convscope-class"]) == (200, "dog")
    for query, message in (
        ("target=dogs", "target: no class dogs; did you mean dog?"),
        ("method=grad", "method: no grad; did you mean grad_cam?"),
    ):
        response = client.post(f"/explain?{query}", content=content)
        assert (response.status_code, response.json()["error"]) == (400, message)
    response = client.post("/explain", files=[("image", ("a.png", content))] * 2)
    assert (response.status_code, response.json()["error"]) == (400, "explain: 2 images; send one")
    assert client.post("/explain", content=b"notes").status_code == 415


@pytest.mark.parametrize(
    ("task", "status"), [("regress", 400), ("multilabel", 200), ("localise", 200), ("segment", 200)]
)
def test_tasks_with_classes_are_explained(served, tmp_path, task, status):
    saved_task(tmp_path / "model", task)
    response = served(tmp_path / "model").post("/explain", content=drawn(tmp_path / "a.png").read_bytes())
    assert response.status_code == status
    if status == 400:
        message = "explain: the predictions of model contain no classes; use /predict"
        assert response.json()["error"] == message

"""The run, its images and its predictions."""

import io

import numpy as np
import pytest
from PIL import Image

from convscope.api import Run
from helpers.explorer_client import decoded, done


def test_the_summary_of_a_run_lists_its_properties_and_views(client, finished):
    run = client.get("/api/run").json()
    assert (run["name"], run["task"], run["state"], run["epoch"]) == ("run", "classify", "finished", 2)
    assert run["input"]["channels"] == 1
    assert run["splits"] == {"train": 1437, "validation": 180, "test": 180}
    assert run["views"] == dict.fromkeys(("classes", "confusion", "probes", "images", "upload", "corrections"), True)
    assert (run["unavailable"], run["problem"], run["primary"]) == ({}, None, "accuracy")
    assert client.get("/api/drawing").json()["draw"]["background"] == 0
    curves = client.get("/api/curves").json()
    assert [epoch["validation"] for epoch in curves["epochs"]] == [e["validation"] for e in Run(finished).history]
    assert curves["selected"] == 2


def test_the_network_is_described_module_by_module(client):
    network = client.get("/api/network").json()
    assert [section["name"] for section in network["sections"]] == ["stem", "stages.0", "stages.1", "head"]
    assert {section["role"] for section in network["sections"]} == {"section"}
    assert network["parameters"] == client.get("/api/run").json()["parameters"]
    block = network["sections"][1]["children"][-1]
    assert (block["class"], block["role"], block["group"]) == ("Residual", "block", "add")
    assert block["children"][0]["inputs"] == block["inputs"], "the body has the inputs of the block"
    conv = network["sections"][0]["children"][0]
    assert conv["description"] == "4 kernels of 3x3 over 1 channel, padding 1"
    assert conv["formulas"]["parameters"]
    assert conv["rf_size"] == [3, 3]

    def leaves(nodes):
        return [leaf for node in nodes for leaf in (leaves(node["children"]) if node["children"] else [node])]

    for leaf in leaves(network["sections"]):
        assert client.get(f"/api/inputs/validation-0/maps?layer={leaf['name']}&to=1").status_code == 200


def test_the_confusion_matrix_is_the_report_s_and_its_cells_list_images(client, finished):
    confusion = client.get("/api/confusion").json()
    counts = np.array(confusion["counts"])
    assert counts.sum() == 180
    accuracy = Run(finished).history[-1]["validation"]["accuracy"]
    assert counts.trace() / 180 == pytest.approx(accuracy, abs=1e-6)
    truth, predicted = np.unravel_index(np.argmax(counts - np.diag(counts.diagonal())), counts.shape)
    cell = client.get(f"/api/confusion/cell?truth={truth}&predicted={predicted}&count=2").json()
    assert cell["total"] == counts[truth, predicted] > 0
    assert {(image["truth"], image["predicted"]) for image in cell["images"]} == {(truth, predicted)}
    sure = [
        image["confidence"]
        for image in client.get(f"/api/confusion/cell?truth={truth}&predicted={predicted}").json()["images"]
    ]
    assert sure == sorted(sure, reverse=True)
    for image in cell["images"]:
        assert client.get(f"/api/inputs/{image['id']}").json()["scores"][0]["class"] == predicted


def test_the_matrix_of_every_epoch_is_recorded(client, finished):
    confusion = client.get("/api/confusion").json()
    assert confusion["epochs"] == [1, 2]
    for event in Run(finished).history:
        counts = np.array(client.get(f"/api/confusion?epoch={event['epoch']}").json()["counts"])
        assert counts.trace() / 180 == pytest.approx(event["validation"]["accuracy"], abs=1e-6)
    assert counts.tolist() == confusion["counts"], "the last epoch's network is the run's"
    response = client.get("/api/confusion?epoch=9")
    assert response.status_code == 404
    assert response.json()["error"] == "epoch: no confusion matrix of epoch 9 for the validation split; omit epoch"


def test_a_split_without_predictions_names_the_command_to_compute_them(explored, own_copy):
    client = explored(own_copy)
    response = client.get("/api/confusion?split=train")
    assert response.status_code == 409
    message = "confusion: the train split has no predictions yet; run the job predictions for train"
    assert response.json() == {"error": message, "kind": "not available"}
    job = done(client, "predictions", split="train")
    assert job["state"] == "done", job
    assert np.sum(client.get("/api/confusion?split=train").json()["counts"]) == 1437
    assert client.get("/api/images?split=train&mistakes=1&order=most_confident&count=1").json()["total"] > 0


def test_images_are_found_by_class_by_mistake_and_by_name(client):
    of_three = client.get("/api/images?class=3&count=500").json()
    assert {image["truth"] for image in of_three["images"]} == {3}
    wrong = client.get("/api/images?mistakes=1&count=500&order=most_confident").json()
    assert all(image["truth"] != image["predicted"] for image in wrong["images"])
    name = of_three["images"][0]["name"]
    (found,) = client.get(f"/api/images?search={name[-4:]}").json()["images"]
    assert found["name"] == name
    paged = client.get("/api/images?from=178&count=60").json()
    assert (paged["total"], [image["id"] for image in paged["images"]]) == (180, ["validation-178", "validation-179"])


def test_pictures_are_the_network_s_pixels_and_thumbnails_keep_hard_edges(client):
    pixels = client.session.run.images("validation").select([3]).pixels()[0].numpy()
    exact = np.asarray(Image.open(io.BytesIO(client.get("/api/images/validation-3/picture.png").content)))
    assert np.array_equal(exact[..., 0], np.rint(pixels[0] * 255).astype(np.uint8))
    small = np.asarray(Image.open(io.BytesIO(client.get("/api/images/validation-3/thumbnail.png?side=32").content)))
    assert np.array_equal(small[::4, ::4], exact)
    original = client.get("/api/images/validation-3/original.png")
    assert Image.open(io.BytesIO(original.content)).size == (8, 8)
    sprite = np.asarray(Image.open(io.BytesIO(client.get("/api/sprite.png?ids=3,0&side=8").content)))
    assert np.array_equal(sprite[:, :8], exact)
    again = client.get("/api/images/validation-3/picture.png", headers={"If-None-Match": _tag(client)})
    assert (again.status_code, again.content) == (304, b"")


def _tag(client) -> str:
    return client.get("/api/images/validation-3/picture.png").headers["etag"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("images?split=test", 404, "split: no test to explore; choose train or validation"),
        ("images?order=size", 400, "order: no size; choose one of name, most_confident, least_confident, worst"),
        ("sprite.png?ids=0,180", 404, "ids: give 1 to 2048 numbers from 0 to 179, separated by commas"),
        ("sprite.png?ids=0,-1", 400, "ids: not a list of numbers; write it as 0,3,8"),
        ("images?count=9999", 400, "count: it should be less than or equal to 500"),
    ],
)  # fmt: skip
def test_invalid_input_is_an_error(client, path, status, message):
    response = client.get(f"/api/{path}")
    assert (response.status_code, response.json()["error"]) == (status, message)


def test_the_maps_of_earlier_epochs_are_those_recorded_during_training(client):
    probes = client.get("/api/probes").json()
    assert probes["layers"][0]["epochs"] == [1, 2]
    layer, last = probes["layers"][0]["layer"], probes["images"][0]["id"]
    head, kept, _ = decoded(client.get(f"/api/probes/maps?layer={layer}&probe=0&epoch=2").content)
    assert (head["epoch"], len(head["scale"])) == (2, len(head["channels"]))
    _, now, _ = decoded(client.get(f"/api/inputs/{last}/maps?layer={layer}&values=float").content)
    assert np.abs(kept - now[head["channels"]]).max() < 0.02 * np.ptp(now), "the last epoch's network is the run's"
    response = client.get(f"/api/probes/maps?layer={layer}&probe=0&epoch=9")
    assert response.json()["error"] == "epoch: no maps of epoch 9; choose one of 1, 2"

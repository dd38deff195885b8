"""Jobs are queued, report their progress, can be cancelled, and their results are cached."""

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from convscope.analysis.method import Method, MethodSettings
from convscope.analysis.registry import METHODS
from convscope.analysis.result import Findings
from convscope.explainers import feature_vectors, grad_cam, nearest, stimuli
from helpers.explorer_client import done, over


@pytest.fixture
def held(monkeypatch):
    """Register a method that waits at each step until the returned event is set."""
    go = threading.Event()

    def run(_target, _settings, on_progress):
        for step in range(1000):
            on_progress(step, 1000)
            if go.wait(0.01):
                break
        return Findings({"dot": np.zeros((1, 1, 3), np.uint8)}, {"steps": step})

    monkeypatch.setitem(METHODS, "held", Method("held", "Held", "Waits.", "Limitations: none.", MethodSettings, run))
    return go


def test_one_job_runs_and_at_most_eight_wait(client, held):
    ids = [client.post("/api/jobs", json={"method": "held", "settings": {"seed": i}}).json()["id"] for i in range(9)]
    while client.get(f"/api/jobs/{ids[0]}").json()["state"] != "running":
        pass
    last = client.post("/api/jobs", json={"method": "held", "settings": {"seed": 8}})
    states = [client.get(f"/api/jobs/{number}").json() for number in ids]
    assert [job["state"] for job in states[1:]] == ["queued"] * 8
    assert [job["waiting"] for job in states[1:]] == list(range(8))
    assert last.status_code == 429
    assert last.json() == {"error": "computations: 8 are waiting already; cancel one or wait", "kind": "busy"}
    for number in ids[1:]:
        assert client.delete(f"/api/jobs/{number}").json()["state"] == "cancelled"
    held.set()
    assert over(client, ids[0])["state"] == "done"


@pytest.mark.usefixtures("held")
def test_a_cancelled_job_stops_at_its_next_step(client):
    number = client.post("/api/jobs", json={"method": "held", "settings": {"seed": 77}}).json()["id"]
    while not (job := client.get(f"/api/jobs/{number}").json())["done"]:
        pass
    assert (job["state"], job["of"]) == ("running", 1000)
    client.delete(f"/api/jobs/{number}")
    job = over(client, number)
    assert (job["state"], job["result"], job["error"]) == ("cancelled", None, None)
    assert done(client, "filters")["state"] == "done", "the next job runs"


def test_a_result_is_stored_in_the_run_and_returned_immediately(explored, own_copy):
    client = explored(own_copy)
    first = done(client, "filters")
    assert (first["state"], first["cached"]) == ("done", False)
    assert list((own_copy / "explain" / "explorer").iterdir())
    response = client.post("/api/jobs", json={"method": "filters"})
    assert (response.status_code, response.json()["cached"]) == (200, True)
    assert response.json()["result"]["summary"] == first["result"]["summary"]
    another = explored(own_copy)
    assert another.post("/api/jobs", json={"method": "filters"}).status_code == 200, "also after a restart"
    picture = response.json()["result"]["pictures"]["stem.conv"]
    assert Image.open(io.BytesIO(client.get(picture).content)).format == "PNG"


def test_a_heat_map_is_the_one_of_explain(client):
    job = done(client, "attribution", images=["validation-3"], layers=["stages.1"], method=["grad_cam"])
    (row,) = job["result"]["data"]["maps"]
    loaded = client.session.run.loaded_model()
    images = client.session.run.images("validation").select([3])
    found = grad_cam(loaded.subject.model, loaded.subject.input(images), "stages.1")
    assert np.allclose(row["map"], found.maps[0], atol=1e-6)
    assert row["class"] == int(found.targets[0])
    assert row["image"] == images.names[0]
    overlay = Image.open(io.BytesIO(client.get(job["result"]["tiles"][row["picture"]]).content))
    assert (overlay.mode, overlay.size) == ("RGBA", (8, 8))
    assert list(job["result"]["pictures"]) == ["attribution"]


def test_stimuli_are_those_of_explain_with_the_images_they_come_from(client):
    result = done(client, "stimuli", layers=["stem"], channels=[1, 3], count=2)["result"]
    loaded, images = client.session.run.loaded_model(), client.session.run.images("train")
    found = stimuli(loaded.subject.model, "stem", loaded.subject.batches(images), 2)
    assert [row["channel"] for row in result["data"]["channels"]] == [1, 3]
    for row in result["data"]["channels"]:
        assert [patch["image"]["id"] for patch in row["patches"]] == [
            f"train-{index}" for index in found.images[row["channel"]]
        ]
        assert [patch["box"] for patch in row["patches"]] == found.boxes[row["channel"]].tolist()
        assert row["patches"][0]["picture"] in result["tiles"]


def test_neighbours_exclude_the_image_itself(client):
    (found,) = done(client, "neighbours", images=["validation-3"], count=4)["result"]["data"]["queries"]
    target = client.session.context().target
    vectors = feature_vectors(target.model, "stages.1", target.batches(target.read("validation")))
    near = nearest(vectors, 4)
    assert [one["image"]["id"] for one in found["features"]] == [f"validation-{i}" for i in near.indices[3]]
    assert len(found["pixels"]) == 4
    own = client.post("/api/inputs", content=client.get("/api/images/validation-3/picture.png").content).json()["id"]
    (found,) = done(client, "neighbours", images=[own], count=4)["result"]["data"]["queries"]
    assert found["features"][0]["image"]["id"] == "validation-3", "the nearest to an uploaded copy is its original"


def test_embedding_positions_are_inside_the_unit_square(client):
    points = done(client, "embedding", max_images=60)["result"]["data"]["points"]
    assert len(points) == 60
    assert set(points[0]) == {"image", "x", "y"}
    positions = np.array([[point["x"], point["y"]] for point in points])
    assert positions.min() >= 0
    assert positions.max() <= 1
    assert np.ptp(positions, axis=0).max() == pytest.approx(1)


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("maximise", {"layers": ["stem"], "channels": [2], "steps": 3}),
        ("class_images", {"images": ["4"], "steps": 2}),
        ("invert", {"images": ["validation-3", "validation-5"], "layers": ["stem"], "steps": 3}),
        ("activations", {"images": ["validation-3"]}),
        ("over_time", {"probe": 0}),
        ("hierarchy", {"steps": 2, "count": 2}),
    ],
)
def test_optimised_images_are_returned_one_by_one(client, method, settings):
    result = done(client, method, **settings)["result"]
    assert result["summary"]
    for address in result["pictures"].values():
        response = client.get(address)
        assert response.headers["content-type"] in ("image/png", "image/gif")
        assert Image.open(io.BytesIO(response.content)).size[0] > 20


def test_the_methods_are_listed_with_their_settings(client):
    content = {one["name"]: one for one in client.get("/api/methods").json()["methods"]}
    assert list(content) == [name for name, method in METHODS.items() if method.rank == 2]
    steps = content["invert"]["schema"]["properties"]["steps"]
    assert steps == {
        "auto": "", "default": 512, "description": "Number of optimisation steps.", "maximum": 100000, "minimum": 1,
        "title": "Steps", "type": "integer", "widget": "",
    }  # fmt: skip
    assert content["attribution"]["schema"]["properties"]["method"]["items"]["enum"][0] == "grad_cam"
    assert all(field["description"] for one in content.values() for field in one["schema"]["properties"].values())
    assert all(one["limitations"].startswith("Limitations: ") for one in content.values())


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("embeding", {}, "method: no embeding; did you mean embedding?"),
        ("predictons", {}, "method: no predictons; did you mean predictions?"),
        ("embedding", {"projecton": "pca"}, "explain embedding: no setting projecton; did you mean projection?"),
        ("embedding", {"projection": "umap"}, "explain embedding: projection is 'umap'; choose one of pca, tsne"),
        ("invert", {"steps": 0}, "explain invert: steps is 0; it should be greater than or equal to 1"),
        ("invert", {"out": "elsewhere"},
         "explain invert: no setting out; choose one of channels, images, layers, max_images, per_class, seed, split, "
         "steps"),
    ],
)  # fmt: skip
def test_an_invalid_request_is_rejected_immediately(client, method, settings, message):
    response = client.post("/api/jobs", json={"method": method, "settings": settings})
    assert (response.status_code, response.json()["error"]) == (400, message)


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("maximise", {"layers": ["stem"], "channels": [4]},
         "channels: no 4 in layer stem, which has 4; choose from 0 to 3"),
        ("stimuli", {"layers": ["stm"]}, "layer stm: the network has no such layer; did you mean stem?"),
        ("attribution", {"images": ["own-1"]}, "input: no longer in the cache; upload it again"),
        ("attribution", {"images": ["validation-3"], "target": "10"}, "target: no answer 10; did you mean 1?"),
        ("attribution", {"images": ["/etc"]},
         "images: no class, image or file /etc; give a class, a file, or a name from data.json"),
    ],
)  # fmt: skip
def test_an_exception_in_a_job_becomes_its_error(client, method, settings, message):
    job = done(client, method, **settings)
    assert (job["state"], job["error"], job["result"]) == ("failed", message, None)
    assert (
        client.get("/api/jobs/99999").json()["error"] == "job 99999: no such job, or no longer listed; submit it again"
    )


def test_concurrent_clients_receive_the_same_results(client):
    """Hooks on the network serve one request at a time."""
    paths = [
        "/api/network", "/api/inputs/validation-5", "/api/inputs/validation-6?watch=stages.0",
        "/api/inputs/validation-7/unit?layer=stages.1&channel=1&row=1&column=0",
        "/api/inputs/validation-8/maps?layer=stages.1",
    ]  # fmt: skip

    def content(path: str) -> bytes:
        response = client.get(path)
        assert response.status_code == 200, response.text
        return re.sub(rb'"milliseconds": ?[\d.]+', b"", response.content)

    alone = [content(path) for path in paths]
    job = client.post(
        "/api/jobs", json={"method": "stimuli", "settings": {"layers": ["stages.0"], "channels": [1]}}
    ).json()
    client.session.inputs._cache.clear()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            assert list(threads.map(content, paths * 4)) == alone * 4
    assert over(client, job["id"])["state"] == "done"


def test_inputs_are_served_while_a_job_runs(client, held):
    number = client.post("/api/jobs", json={"method": "held", "settings": {"seed": 5}}).json()["id"]
    for index in range(20):
        assert client.get(f"/api/inputs/validation-{index}?watch=stem").status_code == 200
    assert client.get(f"/api/jobs/{number}").json()["state"] == "running"
    held.set()
    over(client, number)

"""Networks of tasks without one class per image."""

import numpy as np
import pytest

from convscope.layouts.drawn_shapes import draw_shapes
from helpers.explorer_client import decoded, done
from helpers.small_runs import train


@pytest.fixture(scope="module", autouse=True)
def _few_shapes():
    """Draw only a hundred shapes."""
    patch = pytest.MonkeyPatch()
    patch.setattr("convscope.layouts.builtin.draw_shapes", lambda _count, seed: draw_shapes(100, seed))
    yield
    patch.undo()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multilabel", "regress", "segment", "localise"])
def test_a_task_s_network_shows_its_maps_its_arithmetic_and_its_prediction(task, explored, tmp_path, no_report):  # noqa: ARG001
    train(tmp_path / "run", "shapes", task=task, train__epochs=1, train__probes=1, data__size=32)
    client = explored(tmp_path / "run")
    run = client.get("/api/run").json()
    assert run["views"]["confusion"] is False
    assert run["unavailable"]["confusion"] == f"the run's task is {task}; a confusion matrix needs one class per image"
    prediction = client.get("/api/inputs/validation-0").json()
    assert prediction["lines"]
    assert bool(prediction["scores"]) == (task == "multilabel")
    output = prediction["output"]
    _, exact, _ = decoded(client.get(f"/api/inputs/validation-0/maps?layer={output}&values=float").content)
    position = np.array(exact.shape) // 2
    unit = client.get(
        f"/api/inputs/validation-0/unit?layer={output}&channel={position[0]}&row={position[1]}&column={position[2]}"
    ).json()
    assert unit["value"] == exact[tuple(position)]
    assert all(abs(step["sum"] - step["value"]) <= step["bound"] for step in unit["steps"])
    assert client.get("/api/images?count=3").json()["total"] > 0
    assert client.get("/api/probes").json()["layers"]
    for path, status in (("confusion", 409), ("curves", 200), ("network", 200)):
        assert client.get(f"/api/{path}").status_code == status, path
    assert client.put("/api/corrections/train-0", json={"kind": "exclude"}).json()["error"] == (
        f"corrections: the run's task is {task}; labels are corrected for one class per image only"
    )
    assert done(client, "neighbours", images=["validation-0"], count=2)["state"] == "done"
    check_answers(client, task)


def check_answers(client, task):
    """Check the prediction beside the target, the images with the largest error, and maps of what the task answers."""
    worst = client.get("/api/images?order=worst&count=100").json()["images"]
    errors = [image["error"] for image in worst]
    assert errors == sorted(errors, reverse=True)
    assert all(image["note"] for image in worst)
    wrong = client.get("/api/images?order=worst&mistakes=1&count=100").json()["images"]
    assert [image["id"] for image in wrong] == [image["id"] for image in worst if image["wrong"]]
    answer = client.get(f"/api/inputs/{worst[0]['id']}").json()["answer"]
    drawn = {"multilabel": "tags", "regress": "numbers", "segment": "masks", "localise": "boxes"}[task]
    assert answer[drawn]
    for which in ("predicted", "target", "errors"):
        response = client.get(f"/api/inputs/{worst[0]['id']}/mask.png?show={which}")
        assert response.status_code == (200 if task == "segment" else 404)
    thumbnail = client.get(f"/api/images/{worst[0]['id']}/thumbnail.png?side=64&answer=true").content
    plain = client.get(f"/api/images/{worst[0]['id']}/thumbnail.png?side=64").content
    assert (thumbnail != plain) == (task in ("segment", "localise"))
    answers = client.get("/api/run").json()["answers"]
    for name in (answers[0], answers[-1]):
        maps = done(client, "attribution", images=["validation-0"], target=name)
        assert maps["state"] == "done", maps
        assert answers[maps["result"]["data"]["maps"][0]["class"]] == name
    if task == "segment":
        assert done(client, "attribution", images=["validation-0"], pixel=[3, 4])["state"] == "done"

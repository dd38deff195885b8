"""Runs without a network, in training, or deleted; and event streams."""

import asyncio
import json
import os
import shutil
import time

import numpy as np
import pytest

from convscope.api import Epoch
from convscope.explorer.backend import BusyError
from convscope.explorer.broadcast import MAX_SUBSCRIBERS, Broadcaster
from convscope.explorer.session import JsonLinesTail
from helpers.small_runs import start


def wait(condition, seconds: float = 20.0):
    """Return the first true value of a function."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("timeout")


@pytest.fixture
def published(monkeypatch):
    """All published events."""
    events = []
    monkeypatch.setattr(Broadcaster, "publish", lambda _broadcaster, name, data: events.append((name, data)))
    return events


def test_a_run_is_shown_from_before_its_first_epoch_to_its_end(explored, few, tmp_path, no_report, published):  # noqa: ARG001
    path = tmp_path / "run"
    training = start(path, few, train__epochs=2, train__probes=2)
    while not (path / "recipe.toml").exists():
        next(training)
    client = explored(path)
    run = client.get("/api/run").json()
    assert (run["state"], run["has_network"], run["epoch"]) == ("training", False, None)
    assert client.get("/api/curves").json() == {"epochs": [], "selected": None, "overfitting": None}
    response = client.get("/api/network")
    assert response.status_code == 409
    assert response.json() == {
        "error": f"{path}: no network yet; wait for the end of the first epoch", "kind": "not available",
    }  # fmt: skip
    assert client.get("/api/inputs/validation-0").status_code == 409

    while not isinstance(next(training), Epoch):
        pass
    assert client.get("/api/network").json()["sections"]
    first = client.get("/api/inputs/validation-0?watch=stem").json()
    counts = client.get("/api/confusion").json()
    assert (np.sum(counts["counts"]), counts["epochs"]) == (client.get("/api/run").json()["splits"]["validation"], [1])
    epoch = wait(lambda: [data for name, data in published if name == "epoch"])
    assert epoch[0] == client.get("/api/curves").json()["epochs"][0]
    news = wait(lambda: [data for name, data in published if name == "run" and data["network"]])
    assert news[-1]["network"] == first["network"]

    assert list(training)[-1].scores
    assert client.get("/api/run").json()["state"] == "finished"
    if (current := client.get("/api/inputs/validation-0").json())["network"] != first["network"]:
        assert current["scores"] != first["scores"], "the scores are of the new network, not cached from the old one"
    assert wait(lambda: [data for name, data in published if name == "run" and data["state"] == "finished"])


def test_a_deleted_run_is_reported(explored, own_copy, published):
    client = explored(own_copy)
    assert client.get("/api/inputs/validation-0").status_code == 200
    shutil.rmtree(own_copy)
    for path in ("run", "network", "inputs/validation-0"):
        response = client.get(f"/api/{path}")
        assert response.status_code == 410
        assert response.json() == {
            "error": f"{own_copy}: deleted or moved; restore the folder and reload, or close this page", "kind": "gone",
        }  # fmt: skip
    assert wait(lambda: [data for name, data in published if name == "run" and data["state"] == "gone"])


def test_a_replaced_run_is_reported(explored, own_copy):
    client = explored(own_copy)
    later = time.time() + 5
    os.utime(own_copy / "data.json", (later, later))
    response = client.get("/api/run")
    assert response.status_code == 410
    assert response.json()["error"] == f"{own_copy}: replaced by another run; start convscope explore again"


def test_a_network_that_cannot_be_opened_is_reported_with_the_reason(explored, own_copy):
    (own_copy / "model" / "model.safetensors").write_bytes(b"no weights")
    response = explored(own_copy).get("/api/network")
    assert (response.status_code, response.json()["kind"]) == (409, "not available")
    assert "model.safetensors: truncated or damaged" in response.json()["error"]


def test_a_run_whose_images_are_gone_still_shows_its_network(explored, few, tmp_path, no_report):  # noqa: ARG001
    source = shutil.copytree(few, tmp_path / "photos")
    for _ in start(tmp_path / "run", str(source), train__epochs=1, train__probes=0):
        pass
    shutil.rmtree(source)
    client = explored(tmp_path / "run")
    assert client.get("/api/network").status_code == 200
    response = client.get("/api/images")
    assert response.status_code == 409
    assert str(source) in response.json()["error"]
    run = client.get("/api/run").json()
    assert run["problem"] == response.json()["error"]
    assert run["views"]["images"] is False
    assert "probes" in run["unavailable"]


def test_a_stopped_run_is_distinguished_from_a_running_one(explored, own_copy):
    client = explored(own_copy)
    (own_copy / "report.html").unlink()
    old = time.time() - 100
    os.utime(own_copy / "events.jsonl", (old, old))
    assert client.get("/api/run").json()["state"] == "stopped"


def test_only_complete_new_lines_are_read(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text('{"event": "old"}\n')
    lines = JsonLinesTail(file)
    with file.open("a") as out:
        out.write('{"event": "new"}\n{"eve')
    assert lines.read_new() == [{"event": "new"}]
    with file.open("a") as out:
        out.write('nt": "next"}\n')
    assert lines.read_new() == [{"event": "next"}]
    file.write_text("")
    assert lines.read_new() == []
    with file.open("a") as out:
        out.write('{"event": "again"}\n')
    assert lines.read_new() == [{"event": "again"}]


def test_subscribers_receive_events_until_the_server_stops_and_their_number_is_limited():
    async def events():
        broadcaster, texts = Broadcaster(), []
        queue = broadcaster.subscribe()
        broadcaster.publish("corrections", {"count": 1})
        stream = broadcaster.listen(queue, {"state": "finished"})
        texts.append(await anext(stream))
        texts.append(await anext(stream))
        broadcaster.close()
        texts += [text async for text in stream]
        others = [broadcaster.subscribe() for _ in range(MAX_SUBSCRIBERS)]
        with pytest.raises(BusyError, match=f"events: {MAX_SUBSCRIBERS} pages are connected already; close one"):
            broadcaster.subscribe()
        assert len(others) == MAX_SUBSCRIBERS
        return texts

    texts = asyncio.run(events())
    assert texts == ['event: hello\ndata: {"state": "finished"}\n\n', 'event: corrections\ndata: {"count": 1}\n\n']
    assert json.loads(texts[1].split("data: ")[1]) == {"count": 1}

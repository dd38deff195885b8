"""A run without a network, one that is being trained, one that is deleted, and pages that listen."""

import asyncio
import json
import os
import shutil
import time

import numpy as np
import pytest

from convscope.api import Epoch
from convscope.explorer.backend import BusyError
from convscope.explorer.broadcast import LISTENERS, Broadcaster
from convscope.explorer.session import JsonLinesTail
from helpers.small_runs import start


def wait(until, seconds: float = 20.0):
    """What a question gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := until():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture
def told(monkeypatch):
    """Everything that a hub tells."""
    events = []
    monkeypatch.setattr(Broadcaster, "publish", lambda _hub, name, data: events.append((name, data)))
    return events


def test_a_run_is_followed_from_before_its_first_epoch_to_its_end(explored, few, tmp_path, no_report, told):  # noqa: ARG001
    path = tmp_path / "run"
    training = start(path, few, train__epochs=2, train__probes=2)
    while not (path / "recipe.toml").exists():
        next(training)
    client = explored(path)
    run = client.get("/api/run").json()
    assert (run["state"], run["has_network"], run["epoch"]) == ("training", False, None)
    assert client.get("/api/curves").json() == {"epochs": [], "kept": None, "overfitting": None}
    answer = client.get("/api/network")
    assert answer.status_code == 409
    assert answer.json() == {
        "error": f"{path}: has no network yet; wait for the end of the first epoch", "kind": "not yet",
    }  # fmt: skip
    assert client.get("/api/inputs/validation-0").status_code == 409

    while not isinstance(next(training), Epoch):
        pass
    assert client.get("/api/network").json()["sections"]
    first = client.get("/api/inputs/validation-0?watch=stem").json()
    counts = client.get("/api/confusion").json()
    assert (np.sum(counts["counts"]), counts["epochs"]) == (client.get("/api/run").json()["splits"]["validation"], [1])
    epoch = wait(lambda: [data for name, data in told if name == "epoch"])
    assert epoch[0] == client.get("/api/curves").json()["epochs"][0]
    news = wait(lambda: [data for name, data in told if name == "run" and data["network"]])
    assert news[-1]["network"] == first["network"]

    assert list(training)[-1].scores
    assert client.get("/api/run").json()["state"] == "finished"
    if (now := client.get("/api/inputs/validation-0").json())["network"] != first["network"]:
        assert now["answer"] != first["answer"], "the new network answers, not what was kept of the old one"
    assert wait(lambda: [data for name, data in told if name == "run" and data["state"] == "finished"])


def test_a_deleted_run_is_reported(explored, own_copy, told):
    client = explored(own_copy)
    assert client.get("/api/inputs/validation-0").status_code == 200
    shutil.rmtree(own_copy)
    for path in ("run", "network", "inputs/validation-0"):
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 410
        assert answer.json() == {
            "error": f"{own_copy}: was deleted or moved; close this page, or put it back and reload", "kind": "gone",
        }  # fmt: skip
    assert wait(lambda: [data for name, data in told if name == "run" and data["state"] == "gone"])


def test_another_run_in_the_same_place_is_not_taken_for_this_one(explored, own_copy):
    client = explored(own_copy)
    later = time.time() + 5
    os.utime(own_copy / "data.json", (later, later))
    answer = client.get("/api/run")
    assert answer.status_code == 410
    assert answer.json()["error"] == f"{own_copy}: another run was made there; start convscope explore again"


def test_a_network_that_cannot_be_opened_is_reported_with_the_reason(explored, own_copy):
    (own_copy / "model" / "model.safetensors").write_bytes(b"no weights")
    answer = explored(own_copy).get("/api/network")
    assert (answer.status_code, answer.json()["kind"]) == (409, "not yet")
    assert "model.safetensors: truncated or damaged" in answer.json()["error"]


def test_a_run_whose_images_are_gone_still_shows_its_network(explored, few, tmp_path, no_report):  # noqa: ARG001
    source = shutil.copytree(few, tmp_path / "photos")
    for _ in start(tmp_path / "run", str(source), train__epochs=1, train__probes=0):
        pass
    shutil.rmtree(source)
    client = explored(tmp_path / "run")
    assert client.get("/api/network").status_code == 200
    answer = client.get("/api/images")
    assert answer.status_code == 409
    assert str(source) in answer.json()["error"]
    run = client.get("/api/run").json()
    assert run["trouble"] == answer.json()["error"]
    assert run["views"]["images"] is False
    assert "probes" in run["why_not"]


def test_a_stopped_run_is_distinguished_from_a_running_one(explored, own_copy):
    client = explored(own_copy)
    (own_copy / "report.html").unlink()
    old = time.time() - 100
    os.utime(own_copy / "events.jsonl", (old, old))
    assert client.get("/api/run").json()["state"] == "stopped"


def test_only_whole_lines_that_are_new_are_read(tmp_path):
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


def test_listeners_get_everything_until_the_server_ends_and_are_not_too_many():
    async def listened():
        hub, texts = Broadcaster(), []
        queue = hub.subscribe()
        hub.publish("marks", {"count": 1})
        stream = hub.listen(queue, {"state": "finished"})
        texts.append(await anext(stream))
        texts.append(await anext(stream))
        hub.close()
        texts += [text async for text in stream]
        others = [hub.subscribe() for _ in range(LISTENERS)]
        with pytest.raises(BusyError, match=f"events: {LISTENERS} pages listen already; close one"):
            hub.subscribe()
        assert len(others) == LISTENERS
        return texts

    texts = asyncio.run(listened())
    assert texts == ['event: hello\ndata: {"state": "finished"}\n\n', 'event: marks\ndata: {"count": 1}\n\n']
    assert json.loads(texts[1].split("data: ")[1]) == {"count": 1}

"""Access, metrics, the page, and models that are replaced."""

import re
import shutil

import pytest
import torch

from convscope.bundle import load_bundle, save_bundle
from convscope.server.metrics import Metrics
from helpers.bundles import drawn

TOKEN = "a-token"


def test_without_the_token_only_health_and_the_page_are_open(served, animals):
    client = served(animals, token=TOKEN)
    for path in ("/docs", "/", "/openapi.json", "/v2/health/live", "/v2/health/ready", "/static/docs.js"):
        assert client.get(path).status_code == 200
    message = "token: missing or wrong; send Authorization: Bearer TOKEN"
    for headers in ({}, {"Authorization": "Bearer other"}):
        response = client.get("/card", headers=headers)
        assert (response.status_code, response.json()) == (401, {"error": message, "kind": "unauthorized"})
        assert response.headers["www-authenticate"] == "Bearer"
    assert client.get("/card", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_on_loopback_other_hosts_and_pages_of_other_sites_are_refused(client):
    response = client.get("/card", headers={"Host": "evil.example:8080"})
    message = "Host: not an address of this machine; use the one that convscope serve printed"
    assert (response.status_code, response.json()["error"]) == (403, message)
    response = client.get("/card", headers={"Origin": "http://evil.example"})
    message = "Origin: page of another site; send the request from your own server"
    assert (response.status_code, response.json()["error"]) == (403, message)
    assert client.get("/card", headers={"Origin": "http://127.0.0.1:8080"}).status_code == 200


def test_behind_a_proxy_any_host_is_accepted(served, animals):
    client = served(animals, host="0.0.0.0")
    assert client.get("/card", headers={"Host": "models.example"}).status_code == 200


def test_the_page_loads_nothing_from_elsewhere_and_every_address_has_a_summary(client):
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert [client.get(link).status_code for link in links] == [200, 200, 200]
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/predict", "/card", "/metrics", "/v2/models/{name}/infer"} <= paths.keys()
    assert all(one["summary"] for methods in paths.values() for one in methods.values())
    assert client.get("/static/none.js").json()["error"] == "/static/none.js: no such file; open /docs"
    assert client.get("/none").json()["error"] == "/none: no such address; see /docs"


def test_metrics_count_requests_by_outcome_and_batches_by_size(served, animals, tmp_path):
    client = served(animals)
    content = drawn(tmp_path / "a.png").read_bytes()
    for body in (content, content, b"notes"):
        client.post("/predict", content=body)
    response = client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.text.splitlines()
    for line in (
        "# TYPE convscope_requests_total counter",
        'convscope_requests_total{model="animals",outcome="ok"} 2',
        'convscope_requests_total{model="animals",outcome="invalid"} 1',
        'convscope_pending_images{model="animals"} 0',
        'convscope_batch_size_bucket{model="animals",le="1"} 2',
        'convscope_batch_size_bucket{model="animals",le="+Inf"} 2',
        'convscope_batch_size_sum{model="animals"} 2',
        'convscope_request_seconds_count{model="animals"} 3',
    ):
        assert line in lines


def test_metrics_of_several_workers_are_added_and_a_replaced_worker_goes_on(tmp_path):
    first = Metrics(["a", 'b"\\'], workers=2, worker=0, file=tmp_path / "metrics")
    second = Metrics(["a", 'b"\\'], workers=2, worker=1, file=tmp_path / "metrics")
    first.count("a", "ok")
    second.count("a", "ok")
    second.set_pending("a", 5)
    second = Metrics(["a", 'b"\\'], workers=2, worker=1, file=tmp_path / "metrics")
    second.count("a", "ok")
    second.observe('b"\\', "request_seconds", 0.01)
    assert first.total("a", "ok") == 3
    lines = first.text().splitlines()
    assert 'convscope_pending_images{model="a"} 0' in lines
    buckets = [line for line in lines if line.startswith(r'convscope_request_seconds_bucket{model="b\"\\",le="0.0')]
    assert [line.split()[-1] for line in buckets] == ["0", "1", "1", "1"], "a bucket contains its bound"


@pytest.fixture
def own_copy(animals, tmp_path):
    """A copy of the saved model, to be changed."""
    return shutil.copytree(animals, tmp_path / "animals")


def test_a_model_is_replaced_when_its_folder_changes(served, own_copy, tmp_path):
    client, content = served(own_copy), drawn(tmp_path / "a.png").read_bytes()
    before = client.post("/predict", content=content).json()
    model, config = load_bundle(own_copy)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(-1)
    save_bundle(own_copy, model, config)
    assert client.portal.call(client.store.reload_changed) == ["animals"]
    after = client.post("/predict", content=content).json()
    assert after["version"] != before["version"]
    assert after["predictions"] != before["predictions"]
    assert client.portal.call(client.store.reload_changed) == []


def test_a_model_that_cannot_be_opened_leaves_the_former_in_use(served, own_copy, tmp_path, capsys):
    client, content = served(own_copy), drawn(tmp_path / "a.png").read_bytes()
    before = client.post("/predict", content=content).json()
    (own_copy / "config.json").write_text("{}")
    assert client.portal.call(client.store.reload_changed) == []
    message = capsys.readouterr().err
    assert message.startswith(f"convscope: {own_copy / 'config.json'}: does not describe a convscope model")
    assert message.endswith("; copy the model again; the former model stays in use\n")
    assert client.portal.call(client.store.reload_changed) == []
    assert capsys.readouterr().err == "", "reported once"
    assert client.post("/predict", content=content).json() == before


def test_the_server_is_not_ready_while_it_ends(served, animals):
    client = served(animals)
    client.app.draining = client.store.draining = True
    response = client.get("/v2/health/ready")
    assert (response.status_code, response.json()) == (503, {"ready": False})
    assert response.headers["connection"] == "close"
    assert client.get("/v2/health/live").status_code == 200

"""Requests that are too long, too slow or not valid JSON are refused before the application sees them."""

import asyncio
import json

import pytest
from fastapi import FastAPI, Request

from convscope.explorer.app import UPLOADS
from convscope.web.error_handlers import error_response, install_error_handlers
from convscope.web.request_limits import MAX_JSON_BYTES, MAX_QUERY_BYTES, RequestLimits
from convscope.web.uploads import bounded

TOO_LARGE = {"error": "body: more than 65,536 bytes; send less", "kind": "too large"}


@pytest.mark.parametrize(
    "content",
    [
        {"method": "filters", "settings": {"layer": "a" * MAX_JSON_BYTES}},
        {"method": "b" * MAX_JSON_BYTES},
        {"kind": "c" * MAX_JSON_BYTES},
    ],
)
def test_a_large_json_body_is_refused(client, content):
    for method, path in (("POST", "/api/jobs"), ("PUT", "/api/corrections/train-0")):
        response = client.request(method, path, json=content)
        assert (response.status_code, response.json()) == (413, TOO_LARGE)


def test_a_large_body_without_a_declared_length_is_refused(client):
    parts = (b"x" * 1000 for _ in range(1000))
    response = client.post("/api/jobs", content=parts, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()) == (413, TOO_LARGE)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"method": "\\ud800"}', "it has half of a surrogate pair"),
        (b"[" * 60_000, "it is nested too deeply"),
        (b'{"method": NaN}', "NaN is no JSON number"),
        (b'{"method": 1e999}', "1e999 is too large for a JSON number"),
        (b'{"method": ' + b"9" * 5000 + b"}", "it has a number with too many digits"),
        (b'{"method": "\xff"}', "it is not UTF-8"),
        (b'{"method": ', "it is not JSON, from character 11 on"),
    ],
)
def test_json_that_cannot_be_stored_and_sent_again_is_refused(client, body, why):
    response = client.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()) == (
        400,
        {"error": f"body: {why}; send valid JSON", "kind": "request"},
    )
    assert client.get("/api/jobs").status_code == 200, "the list is not poisoned for others"


def test_a_long_query_is_refused(client):
    response = client.get(f"/api/images?search={'a' * MAX_QUERY_BYTES}")
    assert (response.status_code, response.json()) == (
        414,
        {"error": "query: more than 32,768 bytes; send less", "kind": "too large"},
    )


def test_an_error_has_at_most_500_characters():
    response = error_response(400, "request", "m" * 60_000)
    assert json.loads(bytes(response.body)) == {"error": "m" * 499 + "…", "kind": "request"}


async def read_all(_scope, receive, _send) -> None:
    """Read the body for ever."""
    while True:
        await receive()


def with_handlers():
    """An application that turns exceptions into responses itself, as those of the servers do."""
    app = FastAPI()
    install_error_handlers(app, "a document")

    @app.post("/{path:path}")
    async def upload(request: Request) -> int:
        return len(await bounded(request))

    return app


def stalled(app, path: str, method: str) -> list[dict]:
    """Send a request whose body never ends; return the messages of the response."""

    async def run() -> list[dict]:
        parts = [{"type": "http.request", "body": b"[", "more_body": True}]
        sent: list[dict] = []

        async def receive() -> dict:
            return parts.pop() if parts else await asyncio.Event().wait()

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
        await RequestLimits(app, UPLOADS, body_seconds=0.05)(scope, receive, send)
        return sent

    return asyncio.run(run())


@pytest.mark.parametrize("app", [read_all, with_handlers()])
@pytest.mark.parametrize("path", [*UPLOADS, "/api/jobs"])
def test_a_body_that_stops_arriving_is_refused(path, app):
    start, body = stalled(app, path, "POST")
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert json.loads(body["body"]) == {
        "error": "body: nothing arrived for 0.05 seconds; send the request again",
        "kind": "timeout",
    }

"""Connections whose requests never arrive do not keep others out."""

import http.client
import json
import socket
import threading
import time

import pytest
import uvicorn

from convscope.explorer.auth import HEADERS
from convscope.explorer.serve import ExplorerConnection
from convscope.web import connections


async def hello(_scope, _receive, send):
    """Answer every request."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture
def port():
    """The port of a running server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(hello, http=ExplorerConnection, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def get(port: int) -> bytes:
    """Return the answer to one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    finally:
        connection.close()


def parsed(answer: bytes) -> tuple[bytes, dict, dict]:
    """Return status line, headers and content of a raw response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, dict(line.decode().split(": ", 1) for line in lines), json.loads(body)


def test_half_sent_headers_do_not_keep_others_out(port):
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    for one in held:
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    start = time.monotonic()
    assert get(port) == b"hi"
    assert time.monotonic() - start < 2
    for one in held:
        one.close()


def test_headers_that_take_too_long_are_refused(port, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        status, headers, content = parsed(slow.makefile("rb").read())
    assert status == b"HTTP/1.1 408 "
    assert content == {
        "error": "request: its headers did not arrive within 0.2 seconds; send the request again",
        "kind": "timeout",
    }
    assert {name: headers[name] for name in HEADERS} == HEADERS


def test_a_second_request_of_a_connection_has_the_same_limit(port, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = slow.makefile("rb", buffering=0)
        while not answer.read(1000).endswith(b"hi"):
            pass
        slow.sendall(b"GET / HT")
        assert slow.makefile("rb").read().startswith(b"HTTP/1.1 408 ")


def test_what_is_not_http_is_refused_in_the_form_of_all_errors(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as other:
        other.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")
        status, headers, content = parsed(other.makefile("rb").read())
    assert (status, content) == (b"HTTP/1.1 400 ", {"error": ExplorerConnection.invalid, "kind": "request"})
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert get(port) == b"hi"

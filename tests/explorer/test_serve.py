"""The command over a real connection."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from convscope.web.listening import listening


@pytest.fixture
def served(own_copy, tmp_path):
    """The command as it is typed, and the link that it printed."""
    words = [sys.executable, "-m", "convscope", "explore", str(own_copy), "--port", "0", "--no-open"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        line = process.stdout.readline()
        yield process, re.fullmatch(r"explore: (http://127\.0\.0\.1:\d+/\?token=\S{32})\n", line)[1]
    finally:
        process.kill()
        process.communicate()


def send(link: str, path: str, **headers: str):
    """Send a request with the link's token."""
    base, token = link.split("/?token=")
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {token}", **headers})
    return urllib.request.urlopen(request, timeout=60)


@pytest.mark.slow
def test_the_command_serves_the_page_follows_the_run_and_ends_with_ctrl_c(served, own_copy):
    process, link = served
    with send(link, "/api/run") as response:
        assert json.load(response)["path"] == str(own_copy.resolve())
    base = link.split("/?")[0]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{base}/api/run", timeout=60)
    with send(link, "/api/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert events.readline() == b"event: hello\n"
        assert json.loads(events.readline().removeprefix(b"data: "))["state"] == "finished"
        events.readline()
        with Path(own_copy / "events.jsonl").open("a") as lines:
            lines.write('{"event": "epoch", "epoch": 3, "train": {}, "validation": {}}\n')
        assert events.readline() == b"event: epoch\n"
        assert json.loads(events.readline().removeprefix(b"data: "))["epoch"] == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130, "with an event stream still open"


@pytest.mark.slow
@pytest.mark.slow
def test_two_servers_do_not_share_a_port_and_the_second_reports_an_error(served, convscope, own_copy):
    _, link = served
    port = link.split(":")[2].split("/")[0]
    code, _, output = convscope("explore", own_copy, "--port", port, "--no-open")
    assert code == 2
    assert output == (
        f"convscope: --host 127.0.0.1 --port {port}: cannot be bound (Address already in use); choose another port\n"
    )


def test_connections_have_no_delay():
    """Without it, every response is delayed by 40 ms between head and body."""
    with listening("127.0.0.1", (0,), 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_folder_that_is_not_a_run_is_an_error(convscope, tmp_path):
    code, _, output = convscope("explore", tmp_path / "none", "--no-open")
    assert code == 2
    assert output == (
        f"convscope: {tmp_path / 'none'}: no such run; create it with: convscope train DATA --out {tmp_path / 'none'}\n"
    )

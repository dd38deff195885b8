"""Clients that stall, never read or come in hundreds: memory stays bounded, and the first user is served as before."""

import http.client
import io
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.slow

SLOWER = 2.0  # at most this much, over `PAGES` pages
PAGES = 40
FLOOR = 0.004  # seconds: the resolution of the CPU time, with a margin
MORE = 200 << 20  # bytes of memory above the start


def animation(frames):
    """The bytes of a GIF of so many equal frames."""
    buffer = io.BytesIO()
    Image.new("P", (64, 64)).save(buffer, "GIF")
    content = buffer.getvalue()
    head = 13 + 3 * 2 ** ((content[10] & 7) + 1)  # the signature, the size and the colours
    return content[:head] + frames * content[head:-1] + content[-1:]


def answer_on(client):
    """Status and content of the answer that arrives on a connection; of a stream of events the status alone."""
    with http.client.HTTPResponse(client) as answer:
        answer.begin()
        stream = answer.headers["content-type"].startswith("text/event-stream")
        return answer.status, None if stream else json.loads(answer.read())


class Served:
    """The command as it is typed, and its clients."""

    def __init__(self, run, process, link):
        self.run, self.process = run, process
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", link)
        self.port, self.headers = int(found[1]), {"Authorization": f"Bearer {found[2]}"}

    def ask(self, method="GET", path="/api/run", body=None):
        """Status and content of the answer to one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, self.headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def begun(self, method, path, length=0, small=False):
        """A connection on which the head of a request was sent."""
        client = socket.socket()
        if small:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.port))
        client.sendall(self.head(method, path, length))
        return client

    def head(self, method, path, length=0):
        """The head of a request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def seconds(self):
        """What the first user's page costs, the run and an image with its prediction: seconds of waiting and of CPU.

        The CPU time is that of the server with all its clients, so that other work of the machine does not count.
        """
        waits, before = [], self.cpu()
        for _ in range(PAGES):
            began = time.perf_counter()
            assert self.ask()[0] == self.ask(path="/api/inputs/validation-0")[0] == 200
            waits.append(time.perf_counter() - began)
        return statistics.median(waits), (self.cpu() - before) / PAGES

    def cpu(self):
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self):
        """Wait until the server has nothing left to do for its clients."""
        before = -1.0
        while self.cpu() - before > 0.02:
            before = self.cpu()
            time.sleep(0.5)

    def memory(self):
        """The most bytes that the process has held so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10


@pytest.fixture(scope="module")
def served(finished, tmp_path_factory):
    place = tmp_path_factory.mktemp("served")
    run = Path(shutil.copytree(finished, place / "run"))
    words = [sys.executable, "-m", "convscope", "explore", str(run), "--port", "0", "--no-open"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=place)
    try:
        server = Served(run, process, process.stdout.readline().strip().removeprefix("explore: "))
        server.seconds()  # what the first requests load
        yield server
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def unharmed(served):
    """Checks at its end that neither the first user nor the memory noticed the clients of the test."""
    with ExitStack() as clients:
        (waited, alone), before = served.seconds(), served.memory()
        yield clients
        (waits, now), more = served.seconds(), served.memory() - before
        print(
            f"first user: CPU {1000 * alone:.1f} ms alone, {1000 * now:.1f} ms beside; "
            f"waiting {1000 * waited:.1f} and {1000 * waits:.1f} ms; {more / 2**20:.1f} MiB more"
        )
        assert now < SLOWER * max(alone, FLOOR)
        assert more < MORE


def test_an_animation_of_ten_thousand_frames_is_refused_by_its_second(served, unharmed):  # noqa: ARG001
    began = time.perf_counter()
    status, answer = served.ask("POST", "/api/inputs", animation(10_000))
    assert (status, answer["error"]) == (413, "upload: more than one frame; upload a single image")
    assert time.perf_counter() - began < 2


def test_uploads_that_stall_are_refused_and_hold_what_they_sent_at_most(served, unharmed):
    stalled = [unharmed.enter_context(served.begun("POST", "/api/inputs", 16 << 20)) for _ in range(50)]
    for client in stalled:
        client.sendall(b"x" * (1 << 20))
    assert served.ask()[0] == 200
    status, answer = answer_on(stalled[0])
    assert (status, answer["error"]) == (408, "body: nothing arrived for 10 seconds; send the request again")


def test_clients_that_never_read_get_no_more_than_their_buffers_hold(served, unharmed):
    for _ in range(20):
        client = unharmed.enter_context(served.begun("GET", "/api/network", small=True))
        client.sendall(4 * served.head("GET", "/api/network"))
    for _ in range(8):
        unharmed.enter_context(served.begun("GET", "/api/events", small=True))
    with (served.run / "events.jsonl").open("a") as lines:
        for epoch in range(1000):  # more than the 256 that a stream may be behind
            lines.write(f'{{"event": "epoch", "epoch": {epoch + 3}, "train": {{}}, "validation": {{}}}}\n')
    time.sleep(2)  # the server follows the run
    served.settle()


def test_of_two_hundred_tabs_sixteen_are_told_of_events_and_the_others_are_told_why(served, unharmed):
    refused = 0
    for _ in range(200):
        status, answer = answer_on(unharmed.enter_context(served.begun("GET", "/api/events")))
        if status != 200:
            refused += 1
            assert (status, answer["error"]) == (429, "events: 16 pages are connected already; close one")
    assert refused == 184

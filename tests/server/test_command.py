"""The command over real connections: no request is lost when it ends."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import convscope as cs
from helpers.bundles import drawn

CLIENTS = 8


@pytest.fixture
def start(animals, tmp_path):
    """Return a function that runs the command as it is typed, and returns the process and its port."""
    processes = []

    def run(*options: str) -> tuple[subprocess.Popen, int]:
        words = [sys.executable, "-m", "convscope", "serve", str(animals), "--port", "0", *options]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        processes.append(process)
        found = re.fullmatch(r"serve: http://127\.0\.0\.1:(\d+) \(animals\)\n", process.stdout.readline())
        return process, int(found[1])

    yield run
    for process in processes:
        process.kill()
        process.communicate()


class Load:
    """Clients that send an image again and again until the server refuses connections."""

    def __init__(self, port: int, content: bytes) -> None:
        self.port, self.content, self.answered, self.lost = port, content, 0, []
        self.threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _send(self) -> None:
        connection = None
        while True:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    return
            try:
                connection.request("POST", "/predict", self.content)
                response = connection.getresponse()
                response.read()
                assert response.status == 200
                self.answered += 1
                if response.will_close:
                    connection.close()
                    connection = None
            except Exception as error:
                self.lost.append(repr(error))
                return

    def join(self) -> None:
        for thread in self.threads:
            thread.join(30)


@pytest.mark.slow
def test_sigterm_under_load_loses_no_request(start, tmp_path):
    process, port = start()
    load = Load(port, drawn(tmp_path / "a.png").read_bytes())
    while load.answered < 50 and not load.lost:
        pass
    process.send_signal(signal.SIGTERM)
    load.join()
    assert load.lost == []
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


@pytest.mark.slow
def test_workers_share_the_requests_and_a_killed_one_is_replaced(start, tmp_path):
    process, port = start("--workers", "2")

    def workers() -> set[int]:
        found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
        lines = {int(number) for number in found.stdout.split()}
        return {number for number in lines if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()}

    load = Load(port, drawn(tmp_path / "a.png").read_bytes())
    while load.answered < 50 and not load.lost:
        time.sleep(0.01)
    first = workers()
    assert len(first) == 2
    os.kill(min(first), signal.SIGTERM)
    line = process.stderr.readline()
    assert re.fullmatch(r"convscope: worker [01] ended with exit code 0; started again\n", line)
    end = time.monotonic() + 60
    while len(workers() - first) < 1 and time.monotonic() < end:
        time.sleep(0.05)
    assert load.lost == [], "a worker that is asked to end answers what it has accepted"
    process.send_signal(signal.SIGTERM)
    load.join()
    assert load.lost == []
    assert process.wait(30) == 0


@pytest.mark.slow
def test_metrics_of_workers_are_added(start, tmp_path):
    _process, port = start("--workers", "2")
    content = drawn(tmp_path / "a.png").read_bytes()
    for _ in range(20):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/predict", content, timeout=60) as response:
            assert response.status == 200
    for _ in range(4):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
            assert 'requests_total{model="animals",outcome="ok"} 20\n' in response.read().decode()


@pytest.mark.slow
def test_ctrl_c_ends_the_server(start):
    process, port = start("--token", "secret")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/card", timeout=60)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_a_folder_that_is_not_a_run_is_an_error(convscope, tmp_path):
    code, _, output = convscope("serve", tmp_path / "none", "--port", "0")
    none = tmp_path / "none"
    assert (code, output) == (2, f"convscope: {none}: no such run; create it with: convscope train DATA --out {none}\n")


@pytest.mark.slow
def test_the_client_of_triton_talks_to_the_server(start, animals, tmp_path):
    """An independent implementation of the protocol; in a process of its own, as gevent changes the threads of this."""
    pytest.importorskip("tritonclient")
    _process, port = start()
    files = [drawn(tmp_path / f"{number}.png", seed=number) for number in range(3)]
    script = """
import json, sys
import numpy as np
import tritonclient.http as triton
from PIL import Image

client = triton.InferenceServerClient(f"127.0.0.1:{sys.argv[1]}")
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("animals")
assert client.get_server_metadata()["name"] == "convscope"
assert client.get_model_metadata("animals")["inputs"][0]["name"] == "image"
pixels = np.stack([np.asarray(Image.open(file)) for file in sys.argv[2:]])
contents = np.array([open(file, "rb").read() for file in sys.argv[2:]], object)
answers = []
for name, datatype, values, binary in (
    ("image", "UINT8", pixels, True), ("image", "UINT8", pixels, False), ("file", "BYTES", contents, True)
):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    wanted = [triton.InferRequestedOutput(one, binary_data=binary) for one in ("label", "probabilities")]
    result = client.infer("animals", [given], outputs=wanted, request_id="1")
    labels = [one.decode() if isinstance(one, bytes) else one for one in result.as_numpy("label").tolist()]
    answers.append([labels, result.as_numpy("probabilities").tolist()])
print(json.dumps(answers))
"""
    words = [sys.executable, "-c", script, str(port), *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = cs.predict(animals, files)
    for labels, probabilities in json.loads(done.stdout):
        assert labels == [one.label for one in expected]
        for row, one in zip(probabilities, expected, strict=True):
            assert row == pytest.approx(one.probabilities, abs=1e-6)

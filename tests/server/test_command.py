"""The command over real connections: no request is lost when it ends."""

import http.client
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

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

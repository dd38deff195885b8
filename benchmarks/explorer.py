"""How quickly the explorer answers, over HTTP on loopback, and how much memory it takes.

    python benchmarks/explorer.py RUN
    python benchmarks/explorer.py RUN --rounds 100 --out benchmarks/results/explorer-lenet.json

Starts ``convscope explore RUN`` and sends the requests of the page: a drawn image with the maps of every section in the
same pass and then fetched, another image of the set, the arithmetic of a unit, the maps of one layer. The aims, on two
cores: paint and see every map in under 100 ms (LeNet) and 500 ms (ResNet-18 at 64 pixels), the first page within 1 s of
the link. Reported are the median and the 95th percentile over the rounds.
"""

import argparse
import http.client
import io
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FIRST = ("/", "/static/app.js", "/api/run", "/api/network", "/api/inputs/validation-0")


class Requests:
    """One connection to the explorer, kept open as a browser does."""

    def __init__(self, link: str) -> None:
        address, token = link.removeprefix("http://").split("/?token=")
        self._link = http.client.HTTPConnection(address, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, path: str, content: bytes | None = None, kind: str = "image/png") -> bytes:
        """The body of an answer; with content, of a POST."""
        headers = self._headers | ({"Content-Type": kind} if content else {})
        self._link.request("GET" if content is None else "POST", path, content, headers)
        answer = self._link.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{path}: {answer.status} {body.decode()[:200]}")
        return body


def painted(ask: Requests, pixels: np.ndarray, sections: list[str]) -> None:
    """Send a picture with a stroke in it, and fetch what a page shows of every section: 16 channels each."""
    stroke = pixels.copy()
    y, x = (random.randrange(side) for side in pixels.shape[:2])
    stroke[y : y + 3, x : x + 3] = random.randrange(256)
    content = io.BytesIO()
    Image.fromarray(stroke).save(content, "PNG")
    watch = "&".join(f"watch={name}" for name in sections)
    image = json.loads(ask(f"/api/inputs?{watch}", content.getvalue()))["id"]
    for name in sections:
        ask(f"/api/inputs/{image}/maps?layer={name}&to=16&side=64")


def timed(call: Callable[[], Any], rounds: int) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, after two rounds that do not count."""
    seconds = []
    for number in range(rounds + 2):
        began = time.perf_counter()
        call()
        if number >= 2:
            seconds.append(1000 * (time.perf_counter() - began))
    return {"median": statistics.median(seconds), "p95": float(np.quantile(seconds, 0.95))}


def unit(ask: Requests, layers: list[dict[str, Any]]) -> None:
    """A unit anywhere in the network."""
    layer = random.choice(layers)
    channel, row, column = (random.randrange(side) for side in (*layer["shape"], 1, 1)[:3])
    ask(f"/api/inputs/validation-0/unit?layer={layer['name']}&channel={channel}&row={row}&column={column}")


def leaves(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The single layers."""
    return [leaf for node in nodes for leaf in (leaves(node["children"]) if node["children"] else [node])]


def memory(process: int) -> float:
    """Resident memory in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def measured(run: Path, rounds: int) -> dict[str, Any]:
    """All figures of one run."""
    words = [sys.executable, "-m", "convscope", "explore", str(run), "--port", "0", "--no-open"]
    began = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ask = Requests(process.stdout.readline().split()[-1])
            up = time.perf_counter()
            for path in FIRST:
                ask(path)
            first = time.perf_counter()
            network = json.loads(ask("/api/network"))
            sections = [section["name"] for section in network["sections"]]
            pixels = np.asarray(Image.open(io.BytesIO(ask("/api/images/validation-0/picture.png"))))
            count = json.loads(ask("/api/run"))["splits"]["validation"]
            found = {
                "seconds until the link": up - began, "seconds until the first page": first - up,
                "a stroke, its answer and every section's maps": timed(lambda: painted(ask, pixels, sections), rounds),
                "another image": timed(lambda: ask(f"/api/inputs/validation-{random.randrange(count)}"), rounds),
                "the arithmetic of a unit": timed(lambda: unit(ask, leaves(network["sections"])), rounds),
                "all maps of a section": timed(
                    lambda: ask(f"/api/inputs/validation-0/maps?layer={random.choice(sections)}&side=64"), rounds
                ),
                "MiB before computations": memory(process.pid),
            }  # fmt: skip
            for method, settings in (("map", {}), ("wanted", {"layer": sections[1], "channels": [0, 1], "steps": 16})):
                _finished(ask, method, settings)
            found["MiB after them"] = memory(process.pid)
            return {"run": run.name, "network": network["name"], "input": network["input"], **found}
        finally:
            process.terminate()


def _finished(ask: Requests, method: str, settings: dict[str, Any]) -> None:
    request = json.dumps({"method": method, "settings": settings}).encode()
    job = json.loads(ask("/api/jobs", request, "application/json"))
    while job["state"] in ("queued", "running"):
        time.sleep(0.1)
        job = json.loads(ask(f"/api/jobs/{job['id']}"))
    if job["state"] != "done":
        raise SystemExit(f"{method}: {job['error']}")


def main() -> None:
    """Measure, print, and write down."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("run", type=Path)
    words.add_argument("--rounds", type=int, default=60)
    words.add_argument("--out", type=Path)
    arguments = words.parse_args()
    random.seed(0)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    found = {**measured(arguments.run, arguments.rounds), "rounds": arguments.rounds, "machine": machine}
    text = json.dumps(found, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Questions to the explorer, and its answers taken apart."""

import io
import json
import struct
import time

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

TOKEN = "a-token"
HOME = "http://127.0.0.1:8765"


def png(pixels: np.ndarray) -> bytes:
    """An array as a PNG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def decoded(content: bytes) -> tuple[dict, np.ndarray, np.ndarray]:
    """Head, (c, h, w) values in their own units, and the levels where values were sent so."""
    assert content[:4] == b"CSM1"
    (length,) = struct.unpack("<I", content[4:8])
    head, rest = json.loads(content[8 : 8 + length]), content[8 + length :]
    shape = (len(head["channels"]), *head["shape"])
    if head["values"] == "float":
        return head, np.frombuffer(rest, "<f4").reshape(shape), np.zeros(0)
    count = shape[0]
    low, high = np.frombuffer(rest[: 4 * count], "<f4"), np.frombuffer(rest[4 * count : 8 * count], "<f4")
    levels = np.frombuffer(rest[8 * count :], np.uint8).reshape(shape)
    return head, low[:, None, None] + levels / 255 * (high - low)[:, None, None], levels


def done(client: TestClient, method: str, /, **settings) -> dict:
    """A computation's record when it is over."""
    answer = client.post("/api/jobs", json={"method": method, "settings": settings})
    assert answer.status_code in (200, 202), answer.text
    return over(client, answer.json()["id"])


def over(client: TestClient, number: int) -> dict:
    """The record of a computation, waited for."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = client.get(f"/api/jobs/{number}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"job {number} is still {job['state']} after a minute")

"""Requests to the explorer, and parsed responses."""

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
    """Encode an array as PNG."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def decoded(content: bytes) -> tuple[dict, np.ndarray, np.ndarray]:
    """Return the head, the (c, h, w) values, and the levels if the values are quantised."""
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
    """Run a job and return its final record."""
    response = client.post("/api/jobs", json={"method": method, "settings": settings})
    assert response.status_code in (200, 202), response.text
    return over(client, response.json()["id"])


def over(client: TestClient, number: int) -> dict:
    """Wait for a job and return its final record."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        job = client.get(f"/api/jobs/{number}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"job {number} is still {job['state']} after a minute")

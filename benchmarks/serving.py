"""C6: requests a second with at most 100 ms for 95 % of them, 32 clients, against plain FastAPI and LitServe.

    benchmarks/run serve --peers FOLDER [-- --model resnet18 --side 64 --seconds 5]

Every kind serves the same network (random weights, as the time does not depend on them) on all cores, and answers the
same JPEG file of 256 x 256 pixels sent as a form. Clients send at a fixed total rate, whether or not answers are late;
a rate counts if 95 % of its answers take at most 100 ms from the moment when they were due. Rates grow by a fifth until
two in a row fail. `requests_per_second` is the highest rate that counts, `most_per_second` what 32 clients reach that
send again as soon as they are answered, `alone_ms` the median time of a single client. The clients run on the same
machine.

`plain` is what most people write: decode with Pillow, transform, one image, one forward pass. `litserve` has batches of
at most 32 and waits 10 ms for one. The peers' environment needs litserve, fastapi, uvicorn, python-multipart, Pillow
and convscope.
"""

import argparse
import asyncio
import io
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from protocol import Comparison

COMPARISON = Comparison("serving.py", {"ours": "ours", "plain": "ours", "litserve": "peers"}, rounds=3)
CLIENTS, LIMIT, GROWTH = 32, 0.1, 1.2
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def photo() -> bytes:
    """A JPEG file of smooth noise."""
    import numpy as np
    from PIL import Image

    small = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(small).resize((256, 256)).save(content, "JPEG", quality=90)
    return content.getvalue()


def save_model(folder: Path, name: str, side: int) -> None:
    """A bundle with random weights."""
    import torch

    from convscope.bundle import BundleConfig, save_bundle
    from convscope.datasets.inputs.image_input import ImagePreprocessing
    from convscope.models import build, resolve

    torch.manual_seed(0)
    architecture = resolve(name, 100, 3, (side, side), {})
    model = build(architecture)
    preprocessing = ImagePreprocessing(size=(side, side), channels=3, mean=MEAN, std=STD)
    classes, count = tuple(map(str, range(100))), sum(one.numel() for one in model.parameters())
    save_bundle(
        folder,
        model,
        BundleConfig(
            task="classify",
            classes=classes,
            architecture=architecture,
            preprocessing=preprocessing,
            num_parameters=count,
        ),
    )


def transform(content: bytes, side: int) -> Any:
    """As most people write it: resize the shorter side, crop the middle, normalise."""
    import numpy as np
    import torch
    from PIL import Image

    image = Image.open(io.BytesIO(content)).convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    x = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def answer(logits: Any) -> dict[str, Any]:
    """The most probable class and all probabilities."""
    probabilities = logits.softmax(0).tolist()
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return {"label": str(best), "confidence": probabilities[best], "probabilities": probabilities}


def serve_plain(folder: Path, side: int, port: int) -> None:
    """FastAPI, one image and one forward pass per request."""
    import torch
    import uvicorn
    from fastapi import FastAPI, UploadFile

    from convscope.bundle import load_bundle

    model, app = load_bundle(folder)[0], FastAPI()

    async def predict(image: UploadFile) -> dict[str, Any]:
        x = transform(await image.read(), side)
        with torch.inference_mode():
            return answer(model(x[None])[0])

    app.post("/predict")(predict)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def serve_litserve(folder: Path, side: int, port: int) -> None:
    """LitServe with dynamic batches."""
    import litserve
    import torch

    from convscope.bundle import load_bundle

    class Api(litserve.LitAPI):
        def setup(self, device: str) -> None:
            self.model = load_bundle(folder, device)[0]

        def decode_request(self, request: Any) -> Any:
            return transform(request["image"].file.read(), side)

        def batch(self, inputs: list[Any]) -> Any:
            return torch.stack(inputs)

        def predict(self, x: Any) -> Any:
            with torch.inference_mode():
                return self.model(x if x.ndim == 4 else x[None])

        def unbatch(self, output: Any) -> list[Any]:
            return list(output)

        def encode_response(self, output: Any) -> dict[str, Any]:
            return answer(output)

    server = litserve.LitServer(Api(max_batch_size=CLIENTS, batch_timeout=0.01), accelerator="cpu")
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")


class Clients:
    """Connections that are kept open, and requests on them."""

    def __init__(self, port: int, content: bytes) -> None:
        self.port = port
        body = (
            b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        body += content + b"\r\n--b--\r\n"
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        self.request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def send(self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Send a request and read its answer."""
        reader, writer = connection
        writer.write(self.request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        found = re.search(rb"(?i)content-length: (\d+)", head)
        assert found is not None
        await reader.readexactly(int(found[1]))

    async def paced(self, rate: float, seconds: float) -> list[float]:
        """Send at a fixed rate by `CLIENTS` connections; the seconds from when each request was due to its answer."""
        free: asyncio.Queue[Any] = asyncio.Queue()
        for _ in range(CLIENTS):
            free.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))
        start, took = time.perf_counter() + 0.1, []

        async def one(due: float) -> None:
            connection = await free.get()
            await self.send(connection)
            took.append(time.perf_counter() - due)
            free.put_nowait(connection)

        tasks = []
        for number in range(int(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(due)))
        await asyncio.gather(*tasks)
        await self._close(free)
        return took

    async def closed(self, clients: int, seconds: float) -> list[float]:
        """Send again as soon as an answer is there; the seconds of each request."""
        took: list[float] = []

        async def one() -> None:
            connection = await asyncio.open_connection("127.0.0.1", self.port)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                start = time.perf_counter()
                await self.send(connection)
                took.append(time.perf_counter() - start)
            connection[1].close()

        await asyncio.gather(*(one() for _ in range(clients)))
        return took

    async def _close(self, free: "asyncio.Queue[Any]") -> None:
        while not free.empty():
            free.get_nowait()[1].close()


def percentile(values: list[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[int(0.95 * len(values))]


def measured(port: int, seconds: float) -> dict[str, float]:
    """All figures of one server."""
    clients = Clients(port, photo())
    alone = asyncio.run(clients.closed(1, seconds))
    most = len(asyncio.run(clients.closed(CLIENTS, seconds))) / seconds
    rate, best, late = most / 4, 0.0, 0
    while late < 2:
        if percentile(asyncio.run(clients.paced(rate, seconds))) <= LIMIT:
            best, late = rate, 0
        else:
            late += 1
        rate *= GROWTH
    return {"requests_per_second": best, "most_per_second": most, "alone_ms": 1000 * statistics.median(alone)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(COMPARISON.kinds))
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--serve", type=Path, help="serve this model; the script calls itself")
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    if given.serve:
        {"plain": serve_plain, "litserve": serve_litserve}[given.kind](given.serve, given.side, given.port)
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="c6-") as folder:
        model = Path(folder) / "model"
        save_model(model, given.model, given.side)
        words = [__file__, given.kind, "--serve", str(model), "--side", str(given.side), "--port", str(port)]
        if given.kind == "ours":
            words = ["-m", "convscope", "serve", str(model), "--port", str(port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_"))}
        with subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, env=environment) as server:
            try:
                wait_for(port)
                print(json.dumps(measured(port, given.seconds)))
            finally:
                server.terminate()


def wait_for(port: int) -> None:
    """Return when a request is answered."""
    end = time.monotonic() + 120
    while True:
        try:
            asyncio.run(Clients(port, photo()).closed(1, 0.5))
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()

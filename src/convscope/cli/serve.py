"""``convscope serve``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import RuntimeOption, with_options


@dataclass(frozen=True)
class ServeOptions:
    """What ``convscope serve`` accepts."""

    models: Annotated[
        list[Path],
        typer.Argument(help="Folders of runs or of saved models, or exported .onnx files.", show_default=False),
    ]
    host: Annotated[
        str, typer.Option(help="Address to bind. Any non-loopback address exposes the models to the network.")
    ] = "127.0.0.1"
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free port.", min=0, max=65535)] = 8080
    workers: Annotated[
        int, typer.Option(help="Processes that answer requests, each with its own copy of the models.", min=1, max=256)
    ] = 1
    token: Annotated[
        str,
        typer.Option(
            help="Token that clients send as `Authorization: Bearer TOKEN`.",
            envvar="CONVSCOPE_TOKEN",
            show_default="none",
        ),
    ] = ""
    runtime: RuntimeOption = "auto"
    max_batch: Annotated[int, typer.Option(help="Largest number of images computed at once.", min=1, max=1024)] = 32
    max_pending: Annotated[
        int,
        typer.Option(help="Images per model and process in work; further requests get status 429.", min=1, max=65536),
    ] = 128


@with_options(ServeOptions)
def serve(options: ServeOptions) -> None:
    """Serve models over HTTP, with the answers of convscope predict.

    An exported file is served by ONNX Runtime alone, also where PyTorch is not installed; it has no heat maps.

    Images that arrive at about the same time are computed together. A model is replaced when the network in its folder
    changes. On SIGTERM or Ctrl-C every accepted request is still answered.

    `POST /predict` takes image files, `POST /explain` draws heat maps, `/v2` the Open Inference Protocol; `/docs` is a
    page to try them, `/metrics` is for Prometheus.

    Example: `convscope serve runs/digits-1`, then `curl -F image=@seven.png http://127.0.0.1:8080/predict`
    """
    from convscope.extras import require

    require("serve", "serve")
    from convscope.printable import printable
    from convscope.server import ServerSettings
    from convscope.server.serve import serve as run_server

    settings = ServerSettings(
        host=options.host, port=options.port, workers=options.workers, token=options.token,
        max_batch=options.max_batch, max_pending=options.max_pending, runtime=options.runtime,
    )  # fmt: skip

    def print_link(link: str, names: list[str]) -> None:
        print(f"serve: {link} ({printable(', '.join(names))})", flush=True)
        if options.host not in ("127.0.0.1", "localhost", "::1") and not options.token:
            print(f"warning: anyone who reaches {options.host} can send requests, unencrypted; set --token", flush=True)
        print("Press Ctrl-C to stop", flush=True)

    run_server(options.models, settings, print_link)

"""``convscope explore``."""

from pathlib import Path
from typing import Annotated

import typer


def explore(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on; 0: any free port.", min=0, max=65535, show_default="8765 if free"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to bind. Any non-loopback address exposes the explorer to the network.")
    ] = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the link without opening a browser.")] = False,
) -> None:
    """Explore a run's network in the browser: its feature maps on your images, and how each value is computed.

    Click a value of a feature map to see its computation; draw or upload an image; compare epochs; maximise a channel;
    open cells of the confusion matrix, and correct wrong labels. During training the page is updated live.

    Everything runs on this machine, and the link contains an access token. Press Ctrl-C to stop.

    Example: `convscope explore runs/digits-1`
    """
    from convscope.extras import require

    require("explorer", "explore")
    from convscope.explorer import serve

    def print_link(link: str) -> None:
        print(f"explore: {link}", flush=True)
        if host not in ("127.0.0.1", "localhost", "::1"):
            print(f"warning: anyone who reaches {host} and knows the link has access, unencrypted", flush=True)
        print("Press Ctrl-C to stop", flush=True)

    serve(run, host, port, open_page=not no_open, on_ready=print_link)

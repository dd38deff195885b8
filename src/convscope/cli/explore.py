"""``convscope explore``."""

from pathlib import Path
from typing import Annotated

import typer


def explore(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    port: Annotated[
        int | None, typer.Option(help="To listen on; 0 is any free one.", min=0, max=65535, show_default="8765 if free")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to bind. Any non-loopback address exposes the explorer to the network.")
    ] = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the link only; open no browser.")] = False,
) -> None:
    """Open a page on the run's network: its maps on your images, and what made each number.

    Click a pixel of any map to see the products that were summed; draw or drop an image and watch it go through; slide
    through the epochs; ask what a channel wants to see; open the cells of the confusion matrix and mark wrong labels.

    While training still runs the page follows it. Everything stays on this machine; the link carries a token that
    lets nobody else in. Ctrl-C ends it. Begin with: convscope train digits, then: convscope explore runs/digits-1
    """
    from convscope.extras import require

    require("explorer", "explore")
    from convscope.explorer import serve

    def ready(link: str) -> None:
        print(f"explore: {link}", flush=True)
        if host not in ("127.0.0.1", "localhost", "::1"):
            print(f"warning: anyone who reaches {host} and knows the link has access, unencrypted", flush=True)
        print("Press Ctrl-C to stop", flush=True)

    serve(run, host, port, open_page=not no_open, on_ready=ready)

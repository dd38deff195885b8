"""The options that several commands share, most of them ways of ``convscope explain``."""

from pathlib import Path
from typing import Annotated

import typer

Layers = Annotated[
    list[str] | None,
    typer.Option(
        "--layer", "-l", help="A layer, as convscope inspect RUN names it; may be repeated. [default: stages]"
    ),
]
Channels = Annotated[str | None, typer.Option(help="Their numbers, like 0,3,8-11. [default: some, evenly chosen]")]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--images", "-i", help="A class, an image's name, a file, a folder, or: mistakes; may be repeated.",
        show_default="some of each class",
    ),
]  # fmt: skip
Each = Annotated[int | None, typer.Option(help="Images of each class.", min=1)]
Split = Annotated[str | None, typer.Option(help="train or validation: the set that images come from.")]
Seed = Annotated[int, typer.Option(help="Fixes every random draw.", min=0)]
Out = Annotated[
    Path | None, typer.Option(help="Where pictures and numbers go.", show_default="RUN/explain/METHOD, and the report")
]
Json = Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON object.")]
Steps = Annotated[int | None, typer.Option(help="Steps of painting: more are slower and go further.", min=1)]
Size = Annotated[int | None, typer.Option(help="Side of the pictures in pixels.", show_default="the network's")]
Paint = Annotated[
    str | None, typer.Option("--parameterisation", help="fourier, or pixel: each pixel by itself, noisier.")
]
How = Annotated[
    list[str] | None,
    typer.Option(
        help="grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, input_gradients, integrated_gradients, smooth_grad "
        "or occlusion; may be repeated."
    ),
]
Crops = Annotated[
    str | None,
    typer.Option(
        help="Looks at each image, averaged: 1, 5, 10, multi-scale or shifts.",
        show_default="what training found to pay",
    ),
]

"""The options that several commands share, most of them ways of ``convscope explain``."""

from pathlib import Path
from typing import Annotated

import typer

LayersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layer", "-l", help="A layer, as convscope inspect RUN names it; may be repeated. [default: stages]"
    ),
]
ChannelsOption = Annotated[
    str | None, typer.Option(help="Their numbers, like 0,3,8-11. [default: some, evenly chosen]")
]
ImagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--images", "-i", help="A class, an image's name, a file, a folder, or: mistakes; may be repeated.",
        show_default="some of each class",
    ),
]  # fmt: skip
EachOption = Annotated[int | None, typer.Option(help="ImagesOption of each class.", min=1)]
SplitOption = Annotated[str | None, typer.Option(help="train or validation: the set that images come from.")]
SeedOption = Annotated[int, typer.Option(help="Fixes every random draw.", min=0)]
OutOption = Annotated[
    Path | None, typer.Option(help="Where pictures and numbers go.", show_default="RUN/explain/METHOD, and the report")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON object.")]
StepsOption = Annotated[
    int | None, typer.Option(help="StepsOption of painting: more are slower and go further.", min=1)
]
SizeOption = Annotated[int | None, typer.Option(help="Side of the pictures in pixels.", show_default="the network's")]
ParameterisationOption = Annotated[
    str | None, typer.Option("--parameterisation", help="fourier, or pixel: each pixel by itself, noisier.")
]
HowOption = Annotated[
    list[str] | None,
    typer.Option(
        help="grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, input_gradients, integrated_gradients, smooth_grad "
        "or occlusion; may be repeated."
    ),
]
ViewsOption = Annotated[
    str | None,
    typer.Option(
        help="Looks at each image, averaged: 1, 5, 10, multi-scale or shifts.",
        show_default="what training found to pay",
    ),
]

"""``convscope convolve``"""

from pathlib import Path
from typing import Annotated, Any

import typer

from convscope.errors import ConfigError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")
STEPS_SHOWN = 64  # maximum number of outputs whose steps are printed


def convolve(
    image: Annotated[Path, typer.Argument(help="An image, or a .txt or .csv of numbers.", show_default=False)],
    kernel: Annotated[
        str,
        typer.Option(
            help="edge, blur, sharpen ... or rows of numbers: '1,0,-1;2,0,-2;1,0,-1'. Three with bars between them, "
            "like 'edge|blur|edge', read the image in colour: a filter has the depth of its input."
        ),
    ] = "edge",
    stride: Annotated[int, typer.Option(help="Pixels between positions of the window.", min=1)] = 1,
    padding: Annotated[str, typer.Option(help="Pixels added on each side, or same.")] = "0",
    border: Annotated[
        str, typer.Option(help="Values of the added pixels: zeros, edge, reflect or circular.")
    ] = "zeros",
    mean: Annotated[bool, typer.Option("--mean", help="Divide each sum by the number of values.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the result as an image, from black (smallest) to white (largest).")
    ] = None,
) -> None:
    """Convolve an image with a kernel: print every step for small arrays, the range of values for large ones.

    No image is written without `--out`, since beside the data it would become one of the training images.

    Example: `convscope convolve photo.png --kernel sharpen --padding same --out sharp.png`
    """
    from convscope.api import as_picture
    from convscope.api import convolve as convolution

    kind: Any = border
    result = convolution(image, kernel, stride=stride, padding=padding, border=kind, mean=mean)
    height, width = result.output.shape
    sides = " x ".join(map(str, result.image.shape))
    print(f"{sides} (border included) -> {height} x {width}.  {result.note}")
    if height * width <= STEPS_SHOWN:
        for step in result.steps():
            print(f"({step.row}, {step.column})  {step.text()}")
        print("\n".join("  ".join(f"{value:8.4g}" for value in row) for row in result.output))
    elif out is None:
        print(f"values from {result.output.min():.4g} to {result.output.max():.4g}; write them as an image with --out")
    if out is not None:
        if out.suffix.lower() not in PICTURES:
            raise ConfigError(f"--out {out}: not an image format; name it .png or .jpg")
        out.parent.mkdir(parents=True, exist_ok=True)
        as_picture(result.output).save(out)
        print(f"{out}: black is {result.output.min():.4g}, white is {result.output.max():.4g}")

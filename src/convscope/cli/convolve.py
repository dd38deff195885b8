"""``convscope convolve``"""

from pathlib import Path
from typing import Annotated, Any

import typer

STEPS_SHOWN = 64  # maximum number of outputs that are printed; a larger result is written as an image


def convolve(
    image: Annotated[Path, typer.Argument(help="An image, or a .txt or .csv of numbers.", show_default=False)],
    kernel: Annotated[
        str, typer.Option(help="edge, blur, sharpen ... or rows of numbers: '1,0,-1;2,0,-2;1,0,-1'.")
    ] = "edge",
    stride: Annotated[int, typer.Option(help="Pixels between positions of the window.", min=1)] = 1,
    padding: Annotated[str, typer.Option(help="Pixels added on each side, or same.")] = "0",
    border: Annotated[
        str, typer.Option(help="Values of the added pixels: zeros, edge, reflect or circular.")
    ] = "zeros",
    mean: Annotated[bool, typer.Option("--mean", help="Divide each sum by the number of values.")] = False,
    out: Annotated[Path | None, typer.Option(help="The image to write. [default: IMAGE.convolved.png]")] = None,
) -> None:
    """Convolve an image with a kernel: print every step for small arrays, write an image for large ones.

    Example: `convscope convolve photo.png --kernel sharpen --padding same`
    """
    from convscope.api import as_picture
    from convscope.api import convolve as convolution

    kind: Any = border
    result = convolution(image, kernel, stride=stride, padding=padding, border=kind, mean=mean)
    height, width = result.output.shape
    print(f"{result.image.shape[0]} x {result.image.shape[1]} (border included) -> {height} x {width}.  {result.note}")
    if height * width <= STEPS_SHOWN:
        for step in result.steps():
            print(f"({step.row}, {step.column})  {step.text()}")
        print("\n".join("  ".join(f"{value:8.4g}" for value in row) for row in result.output))
        return
    target = out or image.with_suffix(".convolved.png")
    as_picture(result.output).save(target)
    print(f"{target}: black is {result.output.min():.4g}, white is {result.output.max():.4g}")

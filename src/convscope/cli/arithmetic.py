"""``convscope arithmetic``: calculations with layers, one subcommand per topic."""

from typing import Annotated, Any

import typer

from convscope.cli.options import JsonOption
from convscope.errors import ConfigError

app = typer.Typer(
    name="arithmetic",
    help="Calculate sizes, parameters and multiplications of a layer, with the formula filled in.\n\n"
    "Start with: convscope arithmetic output 227 --size 11 --stride 4",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
SidesArgument = Annotated[str, typer.Argument(help="Sides of the input: 227, or 224x320.", show_default=False)]
ShapeArgument = Annotated[
    str, typer.Argument(help="Shape of the input: channels x height x width, like 3x32x32.", show_default=False)
]
SizeOption = Annotated[int, typer.Option(help="Side of the kernel or window.")]


@app.command()
def output(
    sides: SidesArgument,
    size: SizeOption = 3,
    stride: Annotated[int, typer.Option(help="Pixels between positions of the window.")] = 1,
    padding: Annotated[str, typer.Option(help="Pixels added on each side, or same.")] = "0",
    dilation: Annotated[int, typer.Option(help="Pixels between the values that the window reads.")] = 1,
    json: JsonOption = False,
) -> None:
    """Sides after a convolution or a pool, and the pixels that are never read.

    Example: `convscope arithmetic output 227 --size 11 --stride 4`
    """
    if padding != "same" and not padding.isdigit():
        raise ConfigError(f"--padding {padding}: not a number of pixels; give a number, or same")
    amount = padding if padding == "same" else int(padding)
    _show("output", json, sides=_numbers(sides), size=size, stride=stride, padding=amount, dilation=dilation)


@app.command()
def transposed(
    sides: SidesArgument,
    size: SizeOption = 3,
    stride: Annotated[int, typer.Option(help="Outputs between positions of the window.")] = 2,
    padding: Annotated[int, typer.Option(help="Pixels removed on each side of the output.")] = 0,
    output_padding: Annotated[int, typer.Option(help="Pixels added at the end of the output.")] = 0,
    json: JsonOption = False,
) -> None:
    """Sides after a transposed convolution, and whether it causes a checkerboard pattern.

    Example: `convscope arithmetic transposed 2 --size 3 --stride 2 --padding 1 --output-padding 1`
    """
    _show(
        "transposed", json, sides=_numbers(sides), size=size, stride=stride, padding=padding,
        output_padding=output_padding,
    )  # fmt: skip


@app.command()
def weights(
    shape: ShapeArgument,
    filters: Annotated[int, typer.Option(help="Number of filters.")] = 64,
    size: SizeOption = 3,
    json: JsonOption = False,
) -> None:
    """Parameters of a convolution, and of a fully connected layer with the same output.

    Example: `convscope arithmetic weights 1x28x28 --filters 8 --size 3`
    """
    _show("weights", json, shape=_numbers(shape), filters=filters, size=size)


@app.command()
def factors(
    size: Annotated[int, typer.Argument(help="Side of the kernel.", show_default=False)],
    channels: Annotated[int, typer.Option(help="Channels in, between and out.")] = 1,
    json: JsonOption = False,
) -> None:
    """Weights of a kernel, of stacked 3x3 with its receptive field, and of a column and a row.

    Example: `convscope arithmetic factors 5`
    """
    _show("factors", json, size=size, channels=channels)


@app.command()
def bottleneck(
    shape: ShapeArgument,
    filters: Annotated[int, typer.Option(help="Number of filters.")],
    size: SizeOption = 3,
    narrow: Annotated[int, typer.Option(help="Channels after the 1x1 convolution.")] = 16,
    json: JsonOption = False,
) -> None:
    """Multiplications of a convolution, directly and after a 1x1 convolution to fewer channels.

    Example: `convscope arithmetic bottleneck 480x14x14 --filters 48 --size 5 --narrow 16`
    """
    _show("bottleneck", json, shape=_numbers(shape), filters=filters, size=size, narrow=narrow)


def _show(topic: str, json: bool, **numbers: Any) -> None:
    from convscope.api import arithmetic
    from convscope.cli.printing import print_json

    found = arithmetic(topic, **numbers)
    if json:
        print_json(found.to_json())
    else:
        print(found)


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.lower().split("x")]
    if not all(part.isdigit() for part in parts):
        raise ConfigError(f"{text}: not a size; write numbers with x between them, like 3x32x32")
    return [int(part) for part in parts]

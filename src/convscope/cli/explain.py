"""``convscope explain``: one command for each way of looking."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from convscope.cli.options import (
    ChannelsOption,
    EachOption,
    HowOption,
    ImagesOption,
    JsonOption,
    LayersOption,
    OutOption,
    ParameterisationOption,
    SeedOption,
    SizeOption,
    SplitOption,
    StepsOption,
)


class Methods(TyperGroup):
    """Lets ``convscope explain where --help`` work without a run, as one first types it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the first word for a method where only its help is wanted."""
        if len(args) == 2 and args[0] in self.commands and args[1] in ("-h", "--help"):
            args = ["RUN", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=Methods, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


@app.callback()
def explain(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="A run's folder, or a saved model's.", show_default=False)],
) -> None:
    """See inside a trained network. Each way writes pictures and a JSON of numbers into RUN/explain/METHOD, and what
    it found into the run's report.

    Begin with: convscope explain RUN where, then: convscope explain RUN hierarchy
    """
    ctx.obj = run


@app.command()
def activations(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    split: SplitOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """What every channel answers to an image, as a grid of maps; channels that answer nothing are crossed out.

    Misleads: a channel empty for one image may be the one that matters for another.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, split=split)


@app.command()
def filters(
    ctx: typer.Context, layer: LayersOption = None, channels: ChannelsOption = None,
    images: Annotated[
        list[str] | None, typer.Option("--images", "-i", help="Also show what the kernels answer to these.")
    ] = None,
    seed: SeedOption = 0, out: OutOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """The first convolution's kernels with their smoothness; dead ones and duplicates are named.

    Misleads: only the first layer sees pixels, and a good 3 x 3 kernel can look like noise.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out))


@app.command()
def stimuli(
    ctx: typer.Context, layer: LayersOption = None, channels: ChannelsOption = None, images: ImagesOption = None,
    each: Annotated[int | None, typer.Option(help="Patches of each channel.", min=1)] = None, split: SplitOption = None,
    seed: SeedOption = 0, out: OutOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """The patches of your own images that excite each channel most, cut to what the channel can see.

    Misleads: the strongest few are the tail, and what your images lack cannot appear.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, split=split)


@app.command()
def where(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    split: SplitOption = None,
    how: HowOption = None,
    target: Annotated[str | None, typer.Option(help="A class to follow.", show_default="the network's answer")] = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Which places of an image speak for its class: heat maps over it. Try: --images mistakes --each 8

    With --channels, what those add to class maps. Misleads: a map shows where, not why; run sanity before you believe
    a kind of map.
    """
    most = each and max(each, 8)
    _run_method(
        ctx,
        json,
        **_shared_settings(layer, channels, images, seed, out),
        each=each,
        split=split,
        how=how,
        target=target,
        most=most,
    )


@app.command()
def invert(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    split: SplitOption = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """What each layer has kept of an image: painted from noise until the layer answers as for the image.

    Misleads: it is one picture of many that the layer cannot tell apart; a failed search (!) says nothing.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, split=split, steps=steps)


@app.command()
def maximise(
    ctx: typer.Context, layer: LayersOption = None, channels: ChannelsOption = None, images: ImagesOption = None,
    of: Annotated[
        str | None,
        typer.Option(help="channel, neuron (in the middle of its map), layer (all of it), or direction (from the mean "
                     "of all images to that of a class)."),
    ] = None,
    steps: StepsOption = None, size: SizeOption = None, parameterisation: ParameterisationOption = None,
    copies: Annotated[int | None, typer.Option(help="Pictures of each channel, driven apart.", min=1)] = None,
    seed: SeedOption = 0, out: OutOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """What a channel wants to see: pictures painted from noise, beside the real patches that excite it most.

    Misleads: an extreme that no photo reaches; its look comes partly from the way of painting.
    """
    said = _shared_settings(layer, channels, images, seed, out)
    _run_method(ctx, json, **said, of=of, steps=steps, size=size, parameterisation=parameterisation, copies=copies)


@app.command("class")
def class_(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--images", "-i", help="A class; may be repeated.", show_default="all, the first 20"),
    ] = None,
    each: Annotated[int | None, typer.Option(help="Real images beside each.", min=1)] = None,
    steps: StepsOption = None,
    size: SizeOption = None,
    parameterisation: ParameterisationOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """What a class looks like to the network, beside the real images that the picture resembles most in --layer.

    Misleads: what always comes along with the class is in the picture too, which is just why to look.
    """
    said = _shared_settings(layer, channels, images, seed, out)
    _run_method(ctx, json, **said, each=each, steps=steps, size=size, parameterisation=parameterisation)


@app.command()
def neighbours(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    split: SplitOption = None,
    count: Annotated[int | None, typer.Option(help="Neighbours of each image.", min=1)] = None,
    map_: Annotated[str | None, typer.Option("--map", help="pca or tsne: how the set is laid out.")] = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Which images the network finds alike, beside which are alike in pixels; other classes in red; a map of the set.

    Misleads: near copies of one photo look like understanding, and on training images everything is pure.
    """
    _run_method(
        ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, split=split, count=count, map=map_
    )


@app.command()
def hierarchy(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Everything on one page, early layers to late: kernels, stimuli, wanted pictures, maps, where it looks.

    Writes hierarchy.html, which the run's report takes in. Painting takes minutes.
    Misleads: a few channels of each layer are shown, evenly chosen; the rest may be of another kind.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), steps=steps)


@app.command()
def overtime(
    ctx: typer.Context, layer: LayersOption = None, channels: ChannelsOption = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--images", "-i", help="A probe image's name or class; may be repeated.", show_default="each"),
    ] = None,
    probe: Annotated[int | None, typer.Option(help="One probe image.", show_default="each", min=0)] = None,
    seed: SeedOption = 0, out: OutOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """How the maps of a few fixed images changed from epoch to epoch: a strip and an animation for each stage.

    Misleads: a channel that stands still can be settled, or never used.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), probe=probe)


@app.command()
def designs(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    objects: Annotated[
        int | None,
        typer.Option(
            help="Side of your objects, in pixels of the network's images.",
            min=1,
            show_default="that of boxes or masks, where there are any",
        ),
    ] = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """What to change: dead, silent or repeated channels, blocks and stages to spare, fields that do not fit.

    Misleads: nothing is trained again, so a block may be worth less than its cost says.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, objects=objects)


@app.command()
def sanity(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    split: SplitOption = None,
    how: HowOption = None,
    draws: Annotated[int | None, typer.Option(help="Random networks that are averaged.", min=1)] = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Whether heat maps come from what was learnt: random weights must change them.

    Misleads: passing is needed, but not enough.
    """
    _run_method(
        ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, split=split, how=how, draws=draws
    )


@app.command()
def pointing(
    ctx: typer.Context,
    layer: LayersOption = None,
    channels: ChannelsOption = None,
    images: ImagesOption = None,
    each: EachOption = None,
    split: SplitOption = None,
    how: HowOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Whether heat maps point at the objects: the share of peaks, and of the map, inside boxes or masks.

    Needs a run on data with boxes or masks. Misleads: pointing at the object is right only if the object should decide.
    """
    _run_method(ctx, json, **_shared_settings(layer, channels, images, seed, out), each=each, split=split, how=how)


def _shared_settings(
    layers: list[str] | None, channels: str | None, images: list[str] | None, seed: int, out: Path | None
) -> dict[str, Any]:
    """What every way takes."""
    return {"layers": layers, "channels": channels, "images": images, "seed": seed, "out": out}


def _run_method(ctx: typer.Context, json: bool, **said: Any) -> None:
    from convscope.api.explain import explain as looked
    from convscope.cli.progress import progress
    from convscope.cli.show import print_json

    given = {name: value for name, value in said.items() if value is not None}
    if "channels" in given:
        given["channels"] = numbers(given["channels"])
    method = str(ctx.info_name)
    with progress(method) as on_progress:
        seen = looked(ctx.obj, method, given, on_progress)
    if json:
        print_json(seen.numbers)
        return
    for sentence in seen.summary:
        print(sentence)
    for path in (*seen.pictures, seen.numbers_file):
        print(path)


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of a list with ranges.

    >>> numbers("0,3,8-11")
    (0, 3, 8, 9, 10, 11)
    """
    from convscope.errors import ConfigError

    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdigit() or (dash and not last.isdigit()):
            raise ConfigError(f"--channels {text}: not a list of numbers; write it like 0,3,8-11")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)

"""``convscope explain``: one command for each way of looking."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class Methods(TyperGroup):
    """Lets ``convscope explain where --help`` work without a run, as one first types it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the first word for a method where only its help is wanted."""
        if len(args) == 2 and args[0] in self.commands and args[1] in ("-h", "--help"):
            args = ["RUN", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=Methods, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})

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
Out = Annotated[Path | None, typer.Option(help="Where pictures and numbers go.", show_default="RUN/explain/METHOD")]
Json = Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON object.")]
Steps = Annotated[int | None, typer.Option(help="Steps of painting: more are slower and go further.", min=1)]
Size = Annotated[int | None, typer.Option(help="Side of the pictures in pixels.", show_default="the network's")]
How = Annotated[
    list[str] | None,
    typer.Option(
        help="grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, input_gradients, integrated_gradients, smooth_grad "
        "or occlusion; may be repeated."
    ),
]


@app.callback()
def explain(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="A run's folder, or a saved model's.", show_default=False)],
) -> None:
    """See inside a trained network. Each way writes pictures and a JSON of numbers into RUN/explain/METHOD.

    Begin with: convscope explain RUN where, then: convscope explain RUN hierarchy
    """
    ctx.obj = run


@app.command()
def activations(
    ctx: typer.Context, layer: Layers = None, channels: Channels = None, images: Images = None, each: Each = None,
    split: Split = None, seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """What every channel answers to an image, as a grid of maps; channels that answer nothing are crossed out.

    Misleads: a channel empty for one image may be the one that matters for another.
    """
    _look(ctx, json, layers=layer, channels=channels, images=images, each=each, split=split, seed=seed, out=out)


@app.command()
def filters(
    ctx: typer.Context, layer: Layers = None, channels: Channels = None, seed: Seed = 0, out: Out = None,
    json: Json = False,
) -> None:  # fmt: skip
    """The first convolution's kernels with their smoothness; dead ones and duplicates are named.

    Misleads: only the first layer sees pixels, and a good 3 x 3 kernel can look like noise.
    """
    _look(ctx, json, layers=layer, channels=channels, seed=seed, out=out)


@app.command()
def stimuli(
    ctx: typer.Context, layer: Layers = None, channels: Channels = None, images: Images = None,
    each: Annotated[int | None, typer.Option(help="Patches of each channel.", min=1)] = None, split: Split = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """The patches of your own images that excite each channel most, cut to what the channel can see.

    Misleads: the strongest few are the tail, and what your images lack cannot appear.
    """
    _look(ctx, json, layers=layer, channels=channels, images=images, each=each, split=split, seed=seed, out=out)


@app.command()
def where(
    ctx: typer.Context, layer: Layers = None, images: Images = None, each: Each = None, split: Split = None,
    how: How = None,
    target: Annotated[str | None, typer.Option(help="A class to follow.", show_default="the network's answer")] = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """Which places of an image speak for its class: heat maps over it. Try: --images mistakes --each 8

    Misleads: a map shows where, not why; run sanity before you believe a kind of map.
    """
    _look(
        ctx, json, layers=layer, images=images, each=each, split=split, how=how, target=target, seed=seed, out=out,
        most=each and max(each, 8),
    )  # fmt: skip


@app.command()
def invert(
    ctx: typer.Context, layer: Layers = None, images: Images = None, each: Each = None, split: Split = None,
    steps: Steps = None, seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """What each layer has kept of an image: painted from noise until the layer answers as for the image.

    Misleads: it is one picture of many that the layer cannot tell apart; a failed search (!) says nothing.
    """
    _look(ctx, json, layers=layer, images=images, each=each, split=split, steps=steps, seed=seed, out=out)


@app.command()
def maximise(
    ctx: typer.Context, layer: Layers = None, channels: Channels = None, steps: Steps = None, size: Size = None,
    copies: Annotated[int | None, typer.Option(help="Pictures of each channel, driven apart.", min=1)] = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """What a channel wants to see: pictures painted from noise, beside the real patches that excite it most.

    Misleads: an extreme that no photo reaches; its look comes partly from the way of painting.
    """
    _look(
        ctx, json, layers=layer, channels=channels, steps=steps, size=size, copies=copies, seed=seed, out=out
    )  # fmt: skip


@app.command("class")
def class_(
    ctx: typer.Context,
    images: Annotated[
        list[str] | None,
        typer.Option("--images", "-i", help="A class; may be repeated.", show_default="all, the first 20"),
    ] = None,
    steps: Steps = None, size: Size = None, seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """What a class looks like to the network, beside the real images that the picture resembles most.

    Misleads: what always comes along with the class is in the picture too, which is just why to look.
    """
    _look(ctx, json, images=images, steps=steps, size=size, seed=seed, out=out)


@app.command()
def neighbours(
    ctx: typer.Context, layer: Layers = None, images: Images = None, each: Each = None, split: Split = None,
    count: Annotated[int | None, typer.Option(help="Neighbours of each image.", min=1)] = None,
    map_: Annotated[str | None, typer.Option("--map", help="pca or tsne: how the set is laid out.")] = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """Which images the network finds alike, beside which are alike in pixels; other classes in red; a map of the set.

    Misleads: near copies of one photo look like understanding, and on training images everything is pure.
    """
    _look(
        ctx, json, layers=layer, images=images, each=each, split=split, count=count, map=map_, seed=seed, out=out
    )  # fmt: skip


@app.command()
def hierarchy(
    ctx: typer.Context, layer: Layers = None, channels: Channels = None, steps: Steps = None, seed: Seed = 0,
    out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """Everything on one page, early layers to late: kernels, stimuli, wanted pictures, where it looks.

    Writes hierarchy.html, which the run's report takes in. Painting takes minutes.
    """
    _look(ctx, json, layers=layer, channels=channels, steps=steps, seed=seed, out=out)


@app.command()
def overtime(
    ctx: typer.Context, layer: Layers = None,
    probe: Annotated[int | None, typer.Option(help="One probe image.", show_default="each", min=0)] = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """How the maps of a few fixed images changed from epoch to epoch: a strip and an animation for each stage.

    Misleads: a channel that stands still can be settled, or never used.
    """
    _look(ctx, json, layers=layer, probe=probe, seed=seed, out=out)


@app.command()
def designs(
    ctx: typer.Context, layer: Layers = None,
    objects: Annotated[
        int | None, typer.Option(help="Side of your objects, in pixels of the network's images.", min=1)
    ] = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """What to change: dead, silent or repeated channels, blocks that cost nothing to leave out, fields that do not fit.

    Misleads: nothing is trained again, so a block may be worth less than its cost says.
    """
    _look(ctx, json, layers=layer, objects=objects, seed=seed, out=out)


@app.command()
def sanity(
    ctx: typer.Context, layer: Layers = None, images: Images = None, each: Each = None, split: Split = None,
    how: How = None,
    draws: Annotated[int | None, typer.Option(help="Random networks that are averaged.", min=1)] = None,
    seed: Seed = 0, out: Out = None, json: Json = False,
) -> None:  # fmt: skip
    """Whether heat maps come from what was learnt: random weights must change them.

    Misleads: passing is needed, but not enough.
    """
    _look(
        ctx, json, layers=layer, images=images, each=each, split=split, how=how, draws=draws, seed=seed, out=out
    )  # fmt: skip


def _look(ctx: typer.Context, json: bool, **said: Any) -> None:
    from convscope.cli.progress import progress
    from convscope.cli.show import print_json
    from convscope.run.explain import explain as looked

    given = {name: value for name, value in said.items() if value is not None}
    if "channels" in given:
        given["channels"] = numbers(given["channels"])
    method = str(ctx.info_name)
    with progress(method) as on_progress:
        seen = looked(ctx.obj, method, given, on_progress)
    if json:
        print_json(seen.numbers)
        return
    for sentence in seen.says:
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

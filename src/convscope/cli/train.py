"""``convscope train``"""

import time
from pathlib import Path
from typing import Annotated

import typer

from convscope.errors import ConfigError


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A folder with a subfolder per class (also under train/, val/, test/), of images and masks, or of "
            "boxes; a .csv or .parquet table, a COCO .json, or a built-in: digits, shapes.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder. [default: runs/DATA-1, -2 ...]")] = None,
    resume: Annotated[Path | None, typer.Option(help="Resume a run that was stopped: its folder.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images. [default: from the data]")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Total wall-clock time, like 90s, 5m or 1h30m. [default: no limit]")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed for the split, the initial weights and the order. [default: 0]")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="classify, multilabel, regress, segment or localise. [default: from the data]")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="How DATA is laid out: folder, table, masks, voc, coco, yolo or builtin. [default: detected]"
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A network of docs/reference/networks.md, or a .toml of blocks. [default: from the data]"),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side in pixels to resize images to. [default: from the data]")
    ] = None,
    image_column: Annotated[
        str | None, typer.Option(help="A table's column of image files. [default: detected]")
    ] = None,
    label_column: Annotated[str | None, typer.Option(help="A table's column of labels. [default: detected]")] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Start from pretrained weights: imagenet, a network's name, a weights file, or an earlier run.",
            show_default=False,
        ),
    ] = None,
    replace_fc: Annotated[
        int | None, typer.Option(help="With --from: number of last layers to replace. [default: from the data]")
    ] = None,
    unfreeze_at: Annotated[
        int | None,
        typer.Option(help="With --from: epoch at which the encoder is unfrozen; 0: never. [default: from the data]"),
    ] = None,
    encoder_lr: Annotated[
        str | None,
        typer.Option(
            help="With --from: learning rate of the encoder, relative to the head's (0.1x) or absolute (1e-3)."
        ),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Settings from a file, like an earlier run's recipe.toml.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Override any setting: --set optimiser.learning_rate=0.1"),
    ] = None,
    log: Annotated[str | None, typer.Option(help="Also write logs for: tensorboard.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print events as JSON lines.")] = False,
) -> None:
    """Train a network on DATA and write a run folder with the network, its scores and a report.

    Settings that are not given are chosen from the data. The run's recipe.toml lists every setting with its source.
    Ctrl-C or a kill loses at most the current epoch; continue with `--resume RUN`.

    Example: `convscope train digits`

    Example: `convscope train photos --from imagenet --budget 5m --out runs/photos`
    """
    started = time.monotonic()  # importing PyTorch counts towards a budget too
    if (resume is None) == (data is None and recipe is None):
        raise ConfigError("convscope train: give either DATA, as in: convscope train photos, or --resume RUN")
    from convscope.api import (
        as_overrides,
        data_source,
        lay,
        next_name,
        resuming,
        settings_from_flags,
        settings_from_options,
        training,
    )
    from convscope.cli.show import watch

    options = {
        "--seed": ("seed", seed),
        "--task": ("task", task),
        "--size": ("data.size", size),
        "--layout": ("data.layout", layout),
        "--image-column": ("data.image_column", image_column),
        "--label-column": ("data.label_column", label_column),
        "--model": ("model.name", model),
        "--epochs": ("train.epochs", epochs),
        "--budget": ("train.budget", budget),
        "--from": ("transfer.checkpoint", from_),
        "--replace-fc": ("transfer.replace_fc", replace_fc),
        "--unfreeze-at": ("transfer.unfreeze_at", unfreeze_at),
        "--encoder-lr": ("transfer.encoder_lr", encoder_lr),
    }
    overrides = lay(as_overrides(recipe), settings_from_flags(set_ or []), settings_from_options(options))
    if resume is None:
        source = data or data_source(overrides)
        path = out or next_name(source)
        watch(lambda on_progress: training(source, path, overrides, on_progress, started), path, json, log)
    elif overrides or out:
        raise ConfigError("convscope train --resume: continues with the run's own settings; remove the other flags")
    else:
        watch(lambda on_progress: resuming(resume, on_progress), resume, json, log)

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
    resume: Annotated[Path | None, typer.Option(help="Go on with a run that was stopped.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images. [default: from the data]")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Wall-clock time for all of it, like 90s, 5m or 1h30m.")] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes the split, the weights to begin with and the order.")] = None,
    task: Annotated[
        str | None, typer.Option(help="classify, multilabel, regress, segment or localise. [default: from the data]")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The network, as docs/reference/networks.md lists them, or a .toml of blocks.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side in pixels that images are brought to.")] = None,
    image_column: Annotated[str | None, typer.Option(help="A table's column of image files. [default: found]")] = None,
    label_column: Annotated[str | None, typer.Option(help="A table's column of classes. [default: found]")] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Begin with trained weights: imagenet, a network's name, a weights file, or an earlier run.",
            show_default=False,
        ),
    ] = None,
    replace_fc: Annotated[
        int | None, typer.Option(help="With --from: how many of the last layers are new. [default: from the data]")
    ] = None,
    unfreeze_at: Annotated[
        int | None,
        typer.Option(help="With --from: the epoch from which the encoder learns too, top first; 0: never."),
    ] = None,
    encoder_lr: Annotated[
        str | None, typer.Option(help="With --from: its learning rate, like 0.1x of the head's, or 1e-3.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Settings from a file, like an earlier run's recipe.toml.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting: --set optimiser.learning_rate=0.1"),
    ] = None,
    log: Annotated[str | None, typer.Option(help="Also log to: tensorboard.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print events as JSON lines.")] = False,
) -> None:
    """Train a network on DATA and write a run folder with the network, its scores and a report.

    What is not set is chosen from the data. The run's recipe.toml has every setting, and where its value is from.
    Ctrl-C or a kill loses at most the current epoch; `--resume RUN` goes on.
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

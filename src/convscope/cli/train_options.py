"""Options of ``convscope train``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import LayoutOption, Setting, SizeOption, TaskOption


@dataclass(frozen=True)
class TrainOptions:
    """What ``convscope train`` accepts; an option with a `Setting` sets that setting of the recipe."""

    data: Annotated[
        str | None,
        typer.Argument(
            help="A folder with a subfolder per class (also under train/, val/, test/), of images and masks, or of "
            "boxes; a .csv or .parquet table, a COCO .json, or a built-in: digits, shapes, waves, digits3d.",
            show_default=False,
        ),
    ] = None
    out: Annotated[Path | None, typer.Option(help="The run's folder. [default: runs/DATA-1, -2 ...]")] = None
    resume: Annotated[Path | None, typer.Option(help="Resume a run that was stopped: its folder.")] = None
    check_data: Annotated[
        bool,
        typer.Option("--check-data", help="With --resume: compare the content of all files, not of a sample."),
    ] = False
    epochs: Annotated[
        int | None,
        typer.Option(help="Passes over the training images. [default: from the data]"),
        Setting("train.epochs"),
    ] = None
    budget: Annotated[
        str | None,
        typer.Option(help="Total wall-clock time, like 90s, 5m or 1h30m. [default: no limit]"),
        Setting("train.budget"),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(help="Seed for the split, the initial weights and the order. [default: 0]"),
        Setting("seed"),
    ] = None
    task: TaskOption = None
    layout: LayoutOption = None
    model: Annotated[
        str | None,
        typer.Option(help="A network of docs/reference/networks.md, or a .toml of blocks. [default: from the data]"),
        Setting("model.name"),
    ] = None
    size: SizeOption = None
    image_column: Annotated[
        str | None,
        typer.Option(help="A table's column of image files. [default: detected]"),
        Setting("data.image_column"),
    ] = None
    label_column: Annotated[
        str | None,
        typer.Option(help="A table's column of labels, or several separated by commas. [default: detected]"),
        Setting("data.label_column"),
    ] = None
    group: Annotated[
        str | None,
        typer.Option(
            help="A regular expression that finds a group in each file's name, such as a speaker: _(.+)_ for "
            "7_jackson_32.wav. A group stays in one split. [default: none, or a table's column]",
            show_default=False,
        ),
        Setting("data.group"),
    ] = None
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Start from pretrained weights: imagenet, a network's name, a weights file or an earlier run; or from "
            "scratch. [default: weights for photographs too few to learn from scratch, if a short comparison on the "
            "validation images does not prefer scratch]",
            show_default=False,
        ),
        Setting("transfer.checkpoint"),
    ] = None
    replace_fc: Annotated[
        int | None,
        typer.Option(help="With --from: number of last layers to replace. [default: from the data]"),
        Setting("transfer.replace_fc"),
    ] = None
    unfreeze_at: Annotated[
        int | None,
        typer.Option(help="With --from: epoch at which the encoder is unfrozen; 0: never. [default: from the data]"),
        Setting("transfer.unfreeze_at"),
    ] = None
    encoder_lr: Annotated[
        str | None,
        typer.Option(
            help="With --from: learning rate of the encoder, relative to the head's (0.1x) or absolute (1e-3)."
        ),
        Setting("transfer.encoder_lr"),
    ] = None
    processes: Annotated[
        int | None,
        typer.Option(help="Processes on this machine that each compute a part of every batch. [default: 1]"),
        Setting("train.processes"),
    ] = None
    recipe: Annotated[Path | None, typer.Option(help="Settings from a file, like an earlier run's recipe.toml.")] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Override any setting: --set optimiser.learning_rate=0.1"),
    ] = None
    log: Annotated[str | None, typer.Option(help="Also write logs for: tensorboard.")] = None
    json: Annotated[bool, typer.Option("--json", help="Print events as JSON lines.")] = False

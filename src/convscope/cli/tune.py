"""``convscope tune``"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import LayoutOption, Setting, SizeOption, TaskOption, settings_of, with_options
from convscope.errors import ConfigError


@dataclass(frozen=True)
class TuneOptions:
    """What ``convscope tune`` accepts; an option with a `Setting` sets that setting of all trials."""

    data: Annotated[
        str | None, typer.Argument(help="As for `convscope train`: a folder, a table or digits.", show_default=False)
    ] = None
    budget: Annotated[
        str | None,
        typer.Option(help="Total wall-clock time, like 2m or 1h30m. [default: 10m, unless --trials is given]"),
    ] = None
    trials: Annotated[
        int | None, typer.Option(help="Number of networks to try. [default: as many as there is time for]")
    ] = None
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=RANGE",
            help="A range of a setting, LOW:HIGH or A,B,C, instead of its own or in addition: "
            "--search model.options.filters=16:256 --search optimiser.name=sgd,adamw",
        ),
    ] = None
    jobs: Annotated[int | None, typer.Option(help="Processes that train trials at the same time. [default: 1]")] = None
    resume: Annotated[
        Path | None,
        typer.Option(help="Continue a search that was stopped, or join one that runs: its folder."),
    ] = None
    out: Annotated[Path | None, typer.Option(help="Folder of the search. [default: runs/DATA-tune-1, -2 ...]")] = None
    seed: Annotated[
        int | None,
        typer.Option(help="Seed for the split, the weights and the proposals. [default: 0]"),
        Setting("seed"),
    ] = None
    task: TaskOption = None
    layout: LayoutOption = None
    model: Annotated[
        str | None,
        typer.Option(
            help="The network to search: plain, lenet, airbench, a resnet, a vgg ... [default: plain for small images, "
            "resnet18 for photographs]"
        ),
        Setting("model.name"),
    ] = None
    size: SizeOption = None
    recipe: Annotated[Path | None, typer.Option(help="Settings of all trials from a file, like a recipe.toml.")] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set any setting of all trials: --set augment.policy=none"),
    ] = None
    optuna: Annotated[
        Path | None,
        typer.Option(
            help="Write the trials as an Optuna study at the end, for its dashboard: study.db, or another name for a "
            "journal. With --resume DIR of a complete search, only that.",
            show_default=False,
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print events as JSON lines.")] = False


@with_options(TuneOptions)
def tune(options: TuneOptions) -> None:
    """Search the network and its training within a time limit; end with the best network, trained in full.

    Units and filters come first, then layers, kernel, activation, norm, dropout, optimiser, rate, decay and batch, as
    many as there is time for. Networks that learn worse are dropped early; the test images are not used. A stop loses
    at most the current epoch.

    Example: `convscope tune digits --budget 2m`

    Example: `convscope tune photos --budget 1h --search model.options.width=16:128`
    """
    started = time.monotonic()  # importing PyTorch counts towards the budget too
    if (options.resume is None) == (options.data is None):
        raise ConfigError("convscope tune: give either DATA, as in: convscope tune digits, or --resume DIR")
    given_ranges = ranges(options.search or [])
    from convscope.api import (
        SearchRequest,
        as_overrides,
        continuing,
        export_study,
        is_complete,
        lay,
        next_search,
        searching,
        settings_from_flags,
        settings_from_options,
    )
    from convscope.cli.tuning_screen import watch

    given = lay(
        as_overrides(options.recipe),
        settings_from_flags(options.set_ or []),
        settings_from_options(settings_of(options)),
    )
    if options.resume is not None:
        others = given or options.out or options.search or options.budget or options.trials
        if others:
            raise ConfigError(
                "convscope tune --resume: continues with the search's own settings; remove the other flags"
            )
        out = options.resume
        if not (options.optuna and is_complete(out)):
            watch(lambda on_progress: continuing(out, options.jobs, on_progress, started), out, options.json)
    else:
        assert options.data is not None  # checked above
        source, out = options.data, options.out or next_search(options.data)
        request = SearchRequest.of(options.budget, options.trials, options.jobs or 1, given_ranges, "--budget")
        watch(lambda on_progress: searching(source, out, given, request, on_progress, started), out, options.json)
    if options.optuna:
        print(f"{export_study(out, options.optuna)} trials written to {options.optuna}")


def ranges(pairs: list[str]) -> dict[str, str]:
    """Parse the values of ``--search``.

    >>> ranges(["train.batch=16:64"])
    {'train.batch': '16:64'}
    """
    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--search {pair}: '=' is missing; write it like --search model.options.width=16:256")
        found[name.strip()] = text.strip()
    return found

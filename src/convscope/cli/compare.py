"""``convscope compare``"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convscope.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convscope.api.baselines import BaselineRun


def compare(
    runs: Annotated[
        list[str], typer.Argument(help="At least two run folders; with --recipes: DATA.", show_default=False)
    ],
    recipes: Annotated[
        str | None,
        typer.Option(
            help="Train these on DATA, separated by commas: majority, pixels, mlp, small, alexnet, scratch, "
            "transfer, gap-head, dense-head, locality; of recordings also mel-mean, of texts naive-bayes and logistic.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="With --recipes: the checkpoint for transfer: imagenet, FILE or RUN.", show_default=False
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="With --recipes: repeat with seeds 0 to N - 1.", min=1)] = 1,
    budget: Annotated[
        str | None,
        typer.Option(help="With --recipes: time for each training, like 5m. [default: the time of transfer]"),
    ] = None,
    out: Annotated[Path, typer.Option(help="With --recipes: folder for the runs and the table.")] = Path("compare"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run and line.")] = False,
) -> None:
    """Compare runs: validation accuracy with its 95 % interval, parameters, epochs and time.

    If two intervals overlap, the difference may be chance. With --recipes, baselines are trained first, all on the
    same splits.

    Example: `convscope compare runs/digits-1 runs/digits-2`

    Example: `convscope compare photos --recipes majority,pixels,scratch,transfer --from imagenet`
    """
    if recipes is None:
        _compare_runs(runs, json)
        return
    if len(runs) != 1:
        raise ConfigError(f"compare --recipes: takes one DATA, but {len(runs)} were given")
    from convscope.api import run_baselines

    names = [name.strip() for name in recipes.split(",")]
    _show_baselines(run_baselines(runs[0], names, out, from_, range(seeds), budget), out, json)


def _compare_runs(runs: list[str], json: bool) -> None:
    from convscope.api import compare as side_by_side
    from convscope.api.compare import HEADINGS
    from convscope.cli.printing import print_json_lines, table_of

    comparison = side_by_side(runs)
    if json:
        print_json_lines(comparison.to_dicts())
        return
    table_of(HEADINGS, comparison.rows())
    for warning in comparison.warnings:
        print(f"! {warning}")


def _show_baselines(entries: "Iterator[BaselineRun]", out: Path, json: bool) -> None:
    """Print a line per training as it ends, then the table, the comparison and the path of the chart."""
    from dataclasses import asdict

    from convscope.api import Baselines, format_seconds
    from convscope.api.baselines import HEADINGS
    from convscope.cli.printing import print_json_lines, table_of

    done = []
    for entry in entries:
        done.append(entry)
        if json:
            print_json_lines([asdict(entry)])
        else:
            duration = format_seconds(entry.seconds)
            print(f"{entry.recipe}, seed {entry.seed}: {100 * entry.accuracy:.1f} % in {duration}", flush=True)
    baselines = Baselines.write(out, done)
    if json:
        return
    table_of(HEADINGS, baselines.rows())
    for line in baselines.sentences:
        print(line)
    print(baselines.chart)

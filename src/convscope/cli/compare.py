"""``convscope compare``"""

from pathlib import Path
from typing import Annotated

import typer

from convscope.errors import ConfigError


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Two runs' folders or more; with --recipes: DATA.", show_default=False)
    ],
    recipes: Annotated[
        str | None,
        typer.Option(
            help="Train these on DATA: majority, pixels, mlp, small, alexnet, scratch, transfer; with commas.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Trained weights for the recipe transfer.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option(help="With --recipes: repeat with seeds 0 to N - 1.", min=1)] = 1,
    budget: Annotated[
        str | None, typer.Option(help="With --recipes: time for each training. [default: what transfer takes]")
    ] = None,
    out: Annotated[Path, typer.Option(help="With --recipes: where runs and table go.")] = Path("compare"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run and line.")] = False,
) -> None:
    """Show runs side by side: validation accuracy with its interval, weights, epochs and time.

    Two accuracies whose intervals overlap may well be equally good. With --recipes, honest baselines are run on the
    same sets first: `convscope compare photos --recipes majority,pixels,scratch,transfer --from imagenet`
    """
    if recipes:
        if len(runs) != 1:
            raise ConfigError(f"compare --recipes: takes one DATA, and {len(runs)} are given")
        _run_baselines(
            str(runs[0]), [name.strip() for name in recipes.split(",")], out, from_, range(seeds), budget, json
        )
        return
    from convscope.api import compare as side_by_side
    from convscope.cli.show import table_of
    from convscope.durations import format_seconds

    rows, objections = side_by_side(runs)
    if json:
        from json import dumps

        for row in rows:
            print(dumps(row.to_json()))
        return
    table_of(
        ["run", "network", "accuracy", "95 % interval", "weights", "epochs", "time"],
        [
            (
                row.run,
                row.network,
                f"{100 * row.accuracy:.2f} %",
                f"{100 * row.low:.1f} to {100 * row.high:.1f} %",
                f"{row.num_parameters:,}",
                row.epochs,
                format_seconds(row.seconds),
            )
            for row in rows
        ],
    )
    for objection in objections:
        print(f"! {objection}")


def _run_baselines(
    source: str, recipes: list[str], out: Path, checkpoint: str | None, seeds: range, budget: str | None, as_json: bool
) -> None:  # fmt: skip
    """Run the recipes, then show the table, the line and the picture."""
    from dataclasses import asdict
    from json import dumps

    from convscope.api import compare_pretrained, rank, run_baselines, write_baselines
    from convscope.cli.show import table_of
    from convscope.durations import format_seconds

    entries = []
    for entry in run_baselines(source, recipes, out, checkpoint, seeds, budget):
        entries.append(entry)
        told = f"{entry.recipe}, seed {entry.seed}: {100 * entry.accuracy:.1f} % in {format_seconds(entry.seconds)}"
        print(dumps(asdict(entry)) if as_json else told, flush=True)
    picture, found = write_baselines(out, entries), rank(entries)
    if as_json:
        return
    columns = ["recipe", "accuracy", "95 % interval over seeds", "time", "weights", "seeds"]
    table_of(
        columns,
        [
            (
                s.recipe,
                f"{100 * s.accuracy:.1f} %",
                f"+- {100 * s.half_interval:.1f}" if s.seeds > 1 else "",
                format_seconds(s.seconds),
                f"{s.num_parameters:,}" if s.num_parameters else "",
                s.seeds,
            )
            for s in found
        ],
    )
    if line := compare_pretrained(found):
        print(line)
    print(picture)

"""``convscope compare``"""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two runs' folders or more.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run and line.")] = False,
) -> None:
    """Show runs side by side: validation accuracy with its interval, weights, epochs and time.

    Two accuracies whose intervals overlap may well be equally good.
    """
    from convscope.cli.show import table_of
    from convscope.run import compare as side_by_side
    from convscope.run import span

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
                f"{row.weights:,}",
                row.epochs,
                span(row.seconds),
            )
            for row in rows
        ],
    )
    for objection in objections:
        print(f"! {objection}")

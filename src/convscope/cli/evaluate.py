"""``convscope evaluate``"""

from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import ViewsOption


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "validation",
    views: ViewsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score a run's network on one of its sets.

    The test set is for the end: each look at it is recorded in the run and shown in its report,
    because a network chosen by its test score has no honest score left.
    """
    from convscope.api import evaluate as scored
    from convscope.api import task_of
    from convscope.cli.show import print_json, table_of

    found = scored(run, split, views)
    if json:
        print_json(found)
        return
    interval = found.pop("interval", None)
    rows = [(name, f"{value:.4f}" if isinstance(value, float) else value) for name, value in found.items()]
    if interval:
        rows.append((f"{task_of(run).primary}, 95 % interval", f"{interval[0]:.4f} to {interval[1]:.4f}"))
    table_of(["score", "value"], rows)
    if found.get("look", 1) > 1:
        print(f"This was look {found['look']} at the test set; only the first is an honest estimate for new images.")

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
    """Score a run's network on one of its splits.

    The test split is for the end: each evaluation on it is recorded in the run, because a network that was chosen by
    its test score has no unbiased score left.
    """
    from convscope.api import evaluate as scored
    from convscope.cli.show import print_json, table_of

    evaluation = scored(run, split, tta_views=views)
    if json:
        print_json(evaluation.to_dict())
        return
    table_of(["score", "value"], evaluation.rows())
    count = evaluation.test_evaluations
    if count > 1:
        print(f"This was test evaluation {count} of this run; only the first is an unbiased estimate for new images.")
    if count:
        print(f"To show it in the report: convscope report {run}")

"""``convscope evaluate``"""

from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import SelfTestOption, ViewsOption


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "validation",
    views: ViewsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    no_self_test: SelfTestOption = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Evaluate a run's network on one of its splits.

    Use the test split only once, at the end: a network that was selected by its test score has no unbiased score left.
    Each evaluation on it is recorded in the run.

    Example: `convscope evaluate runs/digits-1 --split test`
    """
    from convscope.api import evaluate as scored
    from convscope.cli.printing import print_json, table_of

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

"""``convscope robustness``"""

from pathlib import Path
from typing import Annotated

import typer


def robustness(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Show how accuracy drops under translation, rotation and scaling.

    Convolution and pooling tolerate small translations; rotation and scaling are tolerated only as far as the training
    images include them. The curves are written to the run's robustness.svg.

    Example: `convscope robustness runs/digits-1`
    """
    from convscope.api import robustness as scores_of
    from convscope.cli.printing import print_json_lines, table_of

    result = scores_of(run)
    if json:
        print_json_lines(result.to_dicts())
        return
    table_of(result.headings(), result.rows())
    print(result.chart)

"""``convscope robustness``"""

from pathlib import Path
from typing import Annotated

import typer


def robustness(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Show how accuracy drops under translation, rotation and scaling.

    Convolution and pooling tolerate small translations; rotation and scaling are tolerated as far as the training
    images showed them. The curves are written to the run's robustness.svg.
    """
    from convscope.api import robustness as scores_of
    from convscope.cli.show import print_json_lines, table_of

    found = scores_of(run)
    if json:
        print_json_lines(found.to_dicts())
        return
    table_of(found.headings(), found.rows())
    print(found.chart)

"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

OutOption = Annotated[
    Path | None,
    typer.Option(help="Folder for pictures and numbers.", show_default="RUN/explain/METHOD, for the report"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON object.")]
ViewsOption = Annotated[
    str | None,
    typer.Option(
        help="Looks at each image, averaged: 1, 5, 10, multi-scale or shifts.",
        show_default="what training found to pay",
    ),
]

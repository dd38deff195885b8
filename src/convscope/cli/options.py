"""Options shared by several commands."""

from pathlib import Path
from typing import Annotated

import typer

OutOption = Annotated[
    Path | None,
    typer.Option(help="Folder for images and numbers.", show_default="RUN/explain/METHOD, included in the report"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON object.")]
ViewsOption = Annotated[
    str | None,
    typer.Option(
        help="Test-time augmentation: views averaged per image: 1, 5, 10, multi-scale or shifts. "
        "They include mirror images only where training mirrored.",
        show_default="as chosen in training",
    ),
]

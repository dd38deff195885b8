"""``convscope augment``"""

from pathlib import Path
from typing import Annotated

import typer


def augment(
    data: Annotated[str, typer.Argument(help="A folder, a table or a built-in.", show_default=False)],
    policy: Annotated[str, typer.Option(help="none, light, standard or strong.")] = "standard",
    mirror: Annotated[bool, typer.Option(help="Whether images may be mirrored, left to right.")] = True,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change the policy: --set rotate=30 --set elastic=0.05"),
    ] = None,
    task: Annotated[str | None, typer.Option(help="What the data are for. [default: from the data]")] = None,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("augmented.png"),
) -> None:
    """Draw a sheet of what a network will see: some images as they are, and each changed at random seven times.

    Masks and boxes are drawn as they move with their images.
    """
    from convscope.run import augmented, complete, nested, over, settings_from_flags

    said = nested({"augment.policy": policy, "augment.mirror": mirror})
    changes = settings_from_flags(f"augment.changes.{change}" for change in set_ or [])
    settings = complete(over(said, changes), "augment")
    augmented(data, settings.augment, task=task).save(out)
    print(out)

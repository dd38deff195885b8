"""``convscope augment``"""

from pathlib import Path
from typing import Annotated

import typer


def augment(
    data: Annotated[str, typer.Argument(help="A folder, a table or a built-in name.", show_default=False)],
    policy: Annotated[
        str | None, typer.Option(help="none, light, standard or strong. [default: as for training]")
    ] = None,
    mirror: Annotated[
        bool | None, typer.Option("--mirror/--no-mirror", help="Whether images may be flipped. [default: detected]")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change the policy: --set rotate=30 --set elastic=0.05"),
    ] = None,
    task: Annotated[str | None, typer.Option(help="The task. [default: from the data]")] = None,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("augmented.png"),
) -> None:
    """Draw a sheet of augmented images: some images as they are, and seven random variants of each.

    Masks and boxes are drawn as they move with their images. Settings that are not given are chosen as `train` does:
    images are flipped where flipped images look like the others, so text images are not flipped.
    """
    from convscope.api import augment as sheet_of
    from convscope.api import nest, settings_from_flags

    settings = nest({"policy": policy, "mirror": mirror})
    settings |= settings_from_flags(f"changes.{change}" for change in set_ or [])
    sheet = sheet_of(data, task=task, settings=settings)
    sheet.picture.save(out)
    print(f"{out}: {sheet.description}")

"""``convscope augment``"""

from pathlib import Path
from typing import Annotated

import typer


def augment(
    data: Annotated[str, typer.Argument(help="A folder, a table or a built-in.", show_default=False)],
    policy: Annotated[
        str | None, typer.Option(help="none, light, standard or strong. [default: as for training]")
    ] = None,
    mirror: Annotated[
        bool | None, typer.Option("--mirror/--no-mirror", help="Whether images may be mirrored. [default: found out]")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change the policy: --set rotate=30 --set elastic=0.05"),
    ] = None,
    task: Annotated[str | None, typer.Option(help="What the data are for. [default: from the data]")] = None,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("augmented.png"),
) -> None:
    """Draw a sheet of what a network will see: some images as they are, and each changed at random seven times.

    Masks and boxes are drawn as they move with their images. What is not said is chosen as `train` does: images are
    mirrored where mirror images look like the others, which those of writing do not.
    """
    from convscope.api import augmentation_sheet, nest, settings_from_flags

    said = nest({"policy": policy, "mirror": mirror})
    said |= settings_from_flags(f"changes.{change}" for change in set_ or [])
    sheet = augmentation_sheet(data, said, task=task)
    sheet.picture.save(out)
    changes = "".join(f", {name} {value:g}" for name, value in sheet.settings.changes.items())
    print(f"{out}: policy {sheet.settings.policy}{changes}, {'mirrored' if sheet.settings.mirror else 'not mirrored'}")

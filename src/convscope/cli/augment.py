"""``convscope augment``"""

from pathlib import Path
from typing import Annotated

import typer


def augment(
    data: Annotated[str, typer.Argument(help="A folder, a table or a built-in name.", show_default=False)],
    policy: Annotated[
        str | None, typer.Option(help="none, light, standard or strong. [default: as in training]")
    ] = None,
    mirror: Annotated[
        bool | None, typer.Option("--mirror/--no-mirror", help="Allow left-right flips. [default: detected]")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Override a value of the policy: --set rotate=30 --set elastic=0.05"
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(help="The task. [default: from the data]")] = None,
    out: Annotated[Path, typer.Option(help="The image file to write.")] = Path("augmented.png"),
) -> None:
    """Preview augmentation: write one image with samples of the data and seven random variants of each.

    Masks and boxes are transformed with their images. Defaults are those of `convscope train`: images are flipped only
    where flipped images look like the others, so text images are not flipped.

    Example: `convscope augment photos --policy strong --set rotate=30 --out augmented.png`
    """
    from convscope.api import augment as sheet_of
    from convscope.api import nest, settings_from_flags

    settings = nest({"policy": policy, "mirror": mirror})
    settings |= settings_from_flags(f"changes.{change}" for change in set_ or [])
    sheet = sheet_of(data, task=task, settings=settings)
    sheet.picture.save(out)
    print(f"{out}: {sheet.description}")

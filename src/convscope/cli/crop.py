"""``convscope crop``"""

from pathlib import Path
from typing import Annotated

import typer


def crop(
    data: Annotated[
        str, typer.Argument(help="Data with boxes: a VOC, COCO or YOLO folder, or a table.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="A new folder for the images and their boxes.csv.")] = Path("crops"),
    context: Annotated[
        float, typer.Option(help="Margin around the object, as a fraction of its longer side.", min=0)
    ] = 0.5,
) -> None:
    """Crop every object from its image, so that an image with several objects gives one example for each.

    Then train on the crops: `convscope train crops/boxes.csv` for class and box, with `--task classify` only for the
    class. All crops of one image stay in the same split.

    Example: `convscope crop VOCdevkit/VOC2007 --out crops`
    """
    from convscope.api import crop as crops_of

    print(crops_of(data, out=out, context=context))

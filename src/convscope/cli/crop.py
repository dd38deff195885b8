"""``convscope crop``"""

from pathlib import Path
from typing import Annotated

import typer


def crop(
    data: Annotated[str, typer.Argument(help="Boxes: a VOC, COCO or YOLO folder, or a table.", show_default=False)],
    out: Annotated[Path, typer.Option(help="A new folder for the images and their boxes.csv.")] = Path("crops"),
    context: Annotated[
        float, typer.Option(help="How much larger than the object an image is, as a share of its longer side.", min=0)
    ] = 0.5,
) -> None:
    """Cut every object out of its image, so that images which show several give an example for each.

    Then train on them: `convscope train crops/boxes.csv`, for class and box, or with `--task classify` for the class
    alone. Crops of one image always stay in the same split.
    """
    from convscope.api import crop as crops_of

    print(crops_of(data, out=out, context=context))

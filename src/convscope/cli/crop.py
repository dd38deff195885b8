"""``convscope crop``"""

from pathlib import Path
from typing import Annotated

import typer


def crop(
    data: Annotated[str, typer.Argument(help="Boxes: VOC's, COCO's or YOLO's folder, or a table.", show_default=False)],
    out: Annotated[Path, typer.Option(help="A new folder for the pictures and their boxes.csv.")] = Path("crops"),
    context: Annotated[
        float, typer.Option(help="How much larger than the object a picture is, as a share of its longer side.", min=0)
    ] = 0.5,
) -> None:
    """Cut every object out of its image, so that images which show several give an example for each.

    Then train on them: `convscope train crops/boxes.csv`, for class and box, or with `--task classify` for the class
    alone. Pictures from one image never part between the sets.
    """
    from convscope.api import write_object_crops

    print(write_object_crops(data, out, context))

"""``convscope features``"""

from pathlib import Path
from typing import Annotated

import typer


def features(
    model: Annotated[
        str,
        typer.Argument(help="A run's folder, a checkpoint file, imagenet, or a network's name.", show_default=False),
    ],
    data: Annotated[str, typer.Argument(help="A folder, a table or a built-in name.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("features"),
    seed: Annotated[int, typer.Option(help="Seed for the split (ignored if DATA is the run's own data).")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a network's feature vectors of all images as .npy, .csv and .parquet, and score simple classifiers on them.

    A linear probe, nearest neighbours and a support vector machine are trained on the vectors of the training images
    and scored on those of the validation images, next to the network's own accuracy.

    Example: `convscope features imagenet photos --out features`
    """
    from convscope.api import features as write_features
    from convscope.api.features import HEADINGS
    from convscope.cli.printing import print_json, table_of

    result = write_features(model, data, out=out, seed=seed)
    if json:
        print_json(result.to_dict())
        return
    count, channels = result.vectors.shape
    files = ", ".join(str(result.folder / name) for name in result.files)
    print(f"{count:,} images, {channels:,} channels each: {files}")
    table_of(HEADINGS, result.rows())
    print(result.learning_curve())

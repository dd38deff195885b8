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
    and scored on those of the validation images; the network's own accuracy stands beside them.
    """
    from convscope.api import features as write_features
    from convscope.api.features import HEADINGS
    from convscope.cli.show import print_json, table_of

    found = write_features(model, data, out=out, seed=seed)
    if json:
        print_json(found.to_dict())
        return
    count, channels = found.vectors.shape
    files = ", ".join(str(found.folder / name) for name in found.files)
    print(f"{count:,} images, {channels:,} channels each: {files}")
    table_of(HEADINGS, found.rows())
    print(found.learning_curve())

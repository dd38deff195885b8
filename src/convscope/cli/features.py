"""``convscope features``"""

from pathlib import Path
from typing import Annotated

import typer


def features(
    model: Annotated[
        str,
        typer.Argument(help="A run's folder, a weights file, imagenet, or a network's name.", show_default=False),
    ],
    data: Annotated[str, typer.Argument(help="A folder, a table or a built-in.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("features"),
    seed: Annotated[int, typer.Option(help="Of the cut into sets, where DATA is not the run's own.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a network's vectors of all images as .npy, .csv and .parquet, and how far simple classifiers get with them.

    A linear probe, nearest neighbours and a support vector machine learn from the training images' vectors and are
    asked about the validation images; the network's own answer stands beside them.
    """
    from convscope.api import features as written
    from convscope.cli.show import print_json, table_of

    found = written(model, data, out, seed)
    count, numbers = found.vectors.shape
    if json:
        scores = {"validation": found.scores, "curve": found.curve, "twice": found.accuracy_at_double}
        print_json({"folder": str(out), "images": count, "numbers": numbers, **scores})
        return
    print(f"{count:,} images, {numbers:,} numbers each: {', '.join(str(out / name) for name in found.files)}")
    table_of(["classifier", "validation accuracy"], [(n, f"{100 * s:.2f} %") for n, s in found.scores.items()])
    points = ", ".join(f"{100 * score:.1f} % after {images:,}" for images, score in found.curve)
    print(
        f"linear probe: {points} images; twice as many would likely give about {100 * found.accuracy_at_double:.1f} %"
    )

"""Drawing of reconstructions from each layer, and what they say."""

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, table, titled
from convscope.analysis.target import AnalysisTarget
from convscope.explain import Inversion

SIDE = 132


def inversion_sheet(subject: AnalysisTarget, images: ImageSet, found: tuple[Inversion, ...]) -> np.ndarray:
    """A row for each image, a column for each depth."""
    rows, pixels = [], images.pixels().numpy()
    for place, name in enumerate(images.names):
        tiles = [image_tile(pixels[place], SIDE), *(image_tile(one.pictures.pixels[place], SIDE) for one in found)]
        falls = [
            f"{one.layer} {100 * one.loss_reduction[place]:.0f} %{'' if one.converged[place] else ' !'}"
            for one in found
        ]
        called = subject.class_name(int(images.targets[place]))
        rows.append((f"{name}{': ' if called else ''}{called}", tiles, ["image", *falls]))
    note = (
        "Optimised until the layer's activations match those of the image; above each, how far the feature loss fell "
        "(! less than 90 %: the search failed, which does not mean that the layer forgot). Deeper layers forget place "
        "and colour first."
    )
    return titled(table(rows), "What each layer keeps", note)


def inversion_sentence(found: Inversion) -> str:
    """How far the search for one layer came."""
    least = np.floor(1000 * found.loss_reduction.min()) / 10
    return (
        f"{found.layer}: the feature loss fell by {least:.1f} % or more"
        f"{'' if found.converged.all() else ' (less than the 90 % that count: take more steps)'}; "
        f"pixels correlate {found.similarity.mean():.2f} with the image's"
    )

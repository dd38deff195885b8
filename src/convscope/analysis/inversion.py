"""Figure and summary of the reconstructions from each layer."""

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, table, titled
from convscope.analysis.target import AnalysisTarget
from convscope.explainers import Inversion

SIDE = 132


def inversion_sheet(subject: AnalysisTarget, images: ImageSet, found: tuple[Inversion, ...]) -> np.ndarray:
    """Draw a row per image, a column per layer."""
    rows, pixels, shown = [], images.pixels().numpy(), subject.shown_channels
    for index, name in enumerate(images.names):
        tiles = [
            image_tile(pixels[index], SIDE, shown),
            *(image_tile(one.pictures.pixels[index], SIDE, shown) for one in found),
        ]
        headings = [
            f"{one.layer} {100 * one.loss_reduction[index]:.0f} %{'' if one.converged[index] else ' !'}"
            for one in found
        ]
        class_name = subject.class_name(int(images.targets[index]))
        rows.append((f"{name}{': ' if class_name else ''}{class_name}", tiles, ["image", *headings]))
    note = (
        "Optimised until the layer's activations match those of the image; above each, the reduction of the feature "
        "loss (! less than 90 %: not converged, which does not mean that the layer lost the information). Deeper "
        "layers lose position and colour first."
    )
    return titled(table(rows), "Information preserved by each layer", note)


def inversion_sentence(found: Inversion) -> str:
    """Report how well the reconstructions of one layer converged."""
    least = np.floor(1000 * found.loss_reduction.min()) / 10
    return (
        f"{found.layer}: the feature loss fell by {least:.1f} % or more"
        f"{'' if found.converged.all() else ' (not converged, less than 90 %: use more steps)'}; "
        f"pixels correlate {found.similarity.mean():.2f} with the image's"
    )

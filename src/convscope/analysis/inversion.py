"""What every layer has kept of an image."""

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, table, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_images, chosen_layers
from convscope.analysis.settings import InvertSettings
from convscope.analysis.target import AnalysisTarget
from convscope.explain import INVERT, Inversion, invert
from convscope.progress import Progress

SIDE = 132


def invert_images(subject: AnalysisTarget, settings: InvertSettings, on_progress: Progress) -> Findings:
    """One sheet: each image beside what every layer has kept of it."""
    images = chosen_images(subject, settings.images, settings.split, settings.each, settings.most, settings.seed)
    x = subject.input(images)
    layers = chosen_layers(subject, settings.layers, x)
    optimisation = INVERT.model_copy(update={"steps": settings.steps, "seed": settings.seed})
    goals = dict.fromkeys(layers, settings.channels)
    found = invert(subject.model, x, goals, subject.space, optimisation, on_progress)
    numbers = {"images": images.names, "layers": [one.to_json() for one in found]}
    return Findings({"invert": invert_sheet(subject, images, found)}, numbers, tuple(map(_kept, found)))


def invert_sheet(subject: AnalysisTarget, images: ImageSet, found: tuple[Inversion, ...]) -> np.ndarray:
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
        "Painted until the layer answers as for the image; above each, how far the feature loss fell "
        "(! less than 90 %: the search failed, which does not mean that the layer forgot). Deeper layers forget place "
        "and colour first."
    )
    return titled(table(rows), "What each layer keeps", note)


def _kept(found: Inversion) -> str:
    least = np.floor(1000 * found.loss_reduction.min()) / 10
    return (
        f"{found.layer}: the feature loss fell by {least:.1f} % or more"
        f"{'' if found.converged.all() else ' (less than the 90 % that count: take more steps)'}; "
        f"pixels correlate {found.similarity.mean():.2f} with the image's"
    )

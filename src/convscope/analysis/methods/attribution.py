"""Attribution maps: which positions of an image support a class."""

from typing import TYPE_CHECKING, Literal

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress, part_of

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget

AttributionName = Literal[
    "grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam",
    "input_gradients", "integrated_gradients", "smooth_grad", "occlusion",
]  # fmt: skip


class AttributionSettings(ImageSettings, frozen=True):
    """Settings of `attribution`."""

    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="some of each class", widget="image"
    )
    layers: tuple[str, ...] = setting(
        (), "Layers of class maps.", auto="the deepest stage of at least 4 x 4", widget="layers"
    )
    channels: tuple[int, ...] = setting((), "Only these channels' part of class maps.", auto="all", widget="channels")
    method: tuple[AttributionName, ...] = setting(
        ("grad_cam", "integrated_gradients", "occlusion"), "Attribution methods."
    )
    target: str | None = setting(None, "Class to explain.", auto="the predicted class", widget="class")
    max_images: int = setting(8, "Total number of images, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: AttributionSettings, on_progress: Progress) -> "Findings":
    """Draw a row per image, a column per attribution method and layer."""
    import numpy as np
    import torch

    from convscope.analysis.attribution_maps import (
        agreement,
        attribution,
        attribution_sheet,
        chosen_maps,
        heat_tiles,
        target_class,
    )
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import probabilities, select_images

    images = select_images(target, settings)
    x, scores = target.input(images), probabilities(target, images)
    predicted = target.task.predicted_class(scores)
    classes = torch.from_numpy(predicted)
    if settings.target is not None:
        classes = torch.full((len(x),), target_class(target, settings.target))
    jobs = chosen_maps(target, settings.method, settings.layers, settings.channels, x)
    maps = []
    for index, job in enumerate(jobs):
        report = part_of(on_progress, index, len(jobs))
        maps.append(attribution(target.model, x, job, classes, settings.channels, settings.seed, report))
    numbers = {
        "images": images.names,
        "truth": [target.class_name(int(one)) for one in images.targets],
        "predictions": [target.class_name(int(one)) for one in predicted],
        "confidence": scores[np.arange(len(predicted)), predicted],
        "maps": [one.to_json() for one in maps],
    }
    objects = None if images.object_masks is None else images.masks_of(classes.numpy())
    tiles, data = heat_tiles(images, maps, (target.size[0], target.size[1]))
    sheet = attribution_sheet(target, images, scores, maps, objects)
    return Findings({"attribution": sheet}, numbers, agreement(maps), tiles=tiles, data={"maps": data})


METHOD = Method(
    name="attribution",
    title="Attribution maps",
    summary="Attribution maps over an image: which positions support its class.",
    details="Example: --images mistakes --per-class 8. With --channels, only their part of class maps.",
    limitations="Limitations: a map shows which positions matter, not why; run sanity before you trust a method.",
    settings=AttributionSettings,
    run=run,
    quick=True,
    task_with_classes=True,
)

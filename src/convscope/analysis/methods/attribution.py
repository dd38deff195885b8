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
        (),
        "Layers of class maps.",
        auto="the deepest stage of at least 4 x 4, or a decoder's last level",
        widget="layers",
    )
    channels: tuple[int, ...] = setting((), "Only these channels' part of class maps.", auto="all", widget="channels")
    method: tuple[AttributionName, ...] = setting(
        ("grad_cam", "integrated_gradients", "occlusion"), "Attribution methods."
    )
    target: str | None = setting(
        None,
        "Answer to explain: a class, label, number or the left, top, right or bottom side of a box.",
        auto="the predicted class, or the first number",
        widget="answer",
    )
    against: str | None = setting(
        None,
        "Answer whose score is subtracted: why the target and not this one.",
        auto="none",
        widget="answer",
    )
    pixel: tuple[int, ...] = setting(
        (), "Row and column of the pixel of a mask to explain.", auto="the whole mask", widget="pixel", max_length=2
    )
    max_images: int = setting(8, "Total number of images, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: AttributionSettings, on_progress: Progress) -> "Findings":
    """Draw a row per image, a column per attribution method and layer."""
    import torch

    from convscope.analysis.attribution_maps import (
        agreement,
        attribution,
        attribution_sheet,
        chosen_maps,
        heat_tiles,
        target_answer,
    )
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import (
        chosen_pixel,
        first_answers,
        predicted_classes,
        probabilities,
        select_images,
    )

    images = select_images(target, settings)
    x, pixel = target.input(images), chosen_pixel(settings.pixel)
    with target.class_scores_only():
        scores = probabilities(target, images) if target.task.names_classes else None
    answers = first_answers(target, x, pixel)
    if settings.target is not None:
        answers = torch.full((len(x),), target_answer(target, settings.target))
    jobs = chosen_maps(target, settings.method, settings.layers, settings.channels, x)
    maps = []
    against = None if settings.against is None else target_answer(target, settings.against, "against")
    with target.answer_scores_only(pixel, against):
        for index, job in enumerate(jobs):
            report = part_of(on_progress, index, len(jobs))
            maps.append(attribution(target.model, x, job, answers, settings.channels, settings.seed, report))
    numbers = {
        "images": images.names,
        "truth": [target.class_name(int(one)) for one in images.targets],
        **({} if scores is None else predicted_classes(target, scores)),
        "answers": [target.answer_name(int(one)) for one in answers],
        "against": settings.against,
        "maps": [one.to_json() for one in maps],
    }
    objects = None if images.object_masks is None else images.masks_of(answers.numpy())
    tiles, data = heat_tiles(images, maps, (target.size[0], target.size[1]))
    sheet = attribution_sheet(target, images, scores, maps, objects, settings.against)
    page_data = {"maps": data, "against": settings.against}
    return Findings({"attribution": sheet}, numbers, agreement(maps), tiles=tiles, data=page_data)


METHOD = Method(
    name="attribution",
    title="Attribution maps",
    summary="Attribution maps over an image: which positions support its class.",
    details="Example: --images mistakes --per-class 8. Why 9 and not 5: --target 9 --against 5. With --channels, only "
    "their part of class maps.",
    limitations="Limitations: a map shows which positions matter, not why; run sanity before you trust a method.",
    settings=AttributionSettings,
    run=run,
    quick=True,
    any_answer=True,
)

"""Pointing game: whether attribution maps lie on the objects in boxes or masks."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.analysis.methods.attribution import AttributionName
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class PointingSettings(ImageSettings, frozen=True):
    """Settings of `pointing`."""

    layers: tuple[str, ...] = setting(
        (), "Layers of class maps.", auto="the deepest stage of at least 4 x 4", widget="layers"
    )
    channels: tuple[int, ...] = setting((), "Only these channels' part of class maps.", auto="all", widget="channels")
    method: tuple[AttributionName, ...] = setting(
        ("grad_cam", "layer_cam", "integrated_gradients", "occlusion"), "Attribution methods."
    )
    max_images: int = setting(64, "Total number of images, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: PointingSettings, on_progress: Progress) -> "Findings":
    """Compute, per attribution method, how often its peak and how much of its energy lies on the object.

    Maps explain the true class, even if another one is predicted.
    """
    import numpy as np

    from convscope.analysis.attribution_maps import attribution_sheet, chosen_maps
    from convscope.analysis.pointing_scores import annotated_images, batched_maps, pointing_sentence
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import probabilities, select_images
    from convscope.explainers import pointing_game

    images = annotated_images(target, select_images(target, settings))
    sample = target.input(images, slice(0, 1))
    jobs = chosen_maps(target, settings.method, settings.layers, settings.channels, sample)
    maps, games = [], []
    for done, job in enumerate(jobs, 1):
        maps.append(batched_maps(target, images, job, settings.channels, settings.seed))
        games.append(pointing_game(maps[-1].maps, images.masks_of(images.targets)))
        on_progress(done, len(jobs))
    shown = images.select(np.arange(min(8, len(images))))
    sheet = attribution_sheet(target, shown, probabilities(target, shown), maps, shown.masks_of(shown.targets))
    scores = [
        {"method": name, "layer": layer, **game.to_json()} for (name, layer), game in zip(jobs, games, strict=True)
    ]
    summary = tuple(pointing_sentence(name, layer, game) for (name, layer), game in zip(jobs, games, strict=True))
    return Findings({"pointing": sheet}, {"images": images.names, "maps": scores}, summary)


METHOD = Method(
    name="pointing",
    title="Pointing game",
    summary="Whether attribution maps lie on the objects: the share of peaks, and of the map, inside boxes or masks.",
    details="Needs a run on data with boxes or masks.",
    limitations="Limitations: a map should lie on the object only if the object determines the class.",
    settings=PointingSettings,
    run=run,
    task_with_classes=True,
)

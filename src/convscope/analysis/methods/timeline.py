"""Series as lines, with the part of their class score that each time contributes."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class TimelineSettings(ImageSettings, frozen=True):
    """Settings of `timeline`."""

    layers: tuple[str, ...] = setting(
        (), "A layer with maps over time.", auto="the last one with at least 8 positions", widget="layer"
    )
    max_images: int = setting(6, "Total number of series, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: TimelineSettings, on_progress: Progress) -> "Findings":
    """Draw each series with its Grad-CAM over time under it."""
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import predicted_records, select_images
    from convscope.analysis.timelines import map_layer, time_maps, timeline_sheet

    series = select_images(target, settings)
    predicted, records = predicted_records(target, series)
    layer = settings.layers[0] if settings.layers else map_layer(target, series)
    maps = time_maps(target.model, target.input(series), layer, predicted)
    on_progress(1, 1)
    numbers = [{**record, "map": one.tolist()} for record, one in zip(records, maps, strict=True)]
    sentence = f"Grad-CAM of {layer} for the predicted class of {len(series)} series"
    return Findings({"timeline": timeline_sheet(series, numbers)}, {"layer": layer, "examples": numbers}, (sentence,))


METHOD = Method(
    name="timeline",
    title="Timeline",
    summary="Series as lines over a strip that shows when something supports the predicted class (Grad-CAM).",
    details="Example: --images mistakes --per-class 8.",
    limitations="Limitations: the strip has the resolution of its layer; it shows when, not why.",
    settings=TimelineSettings,
    run=run,
    task_with_classes=True,
    rank=1,
)

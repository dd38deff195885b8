"""Three slices of each volume, with the part of the class score that each position contributes."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class SlicesSettings(ImageSettings, frozen=True):
    """Settings of `slices`."""

    layers: tuple[str, ...] = setting(
        (), "A layer with maps over a volume.", auto="the last one with at least 3 positions on each side",
        widget="layer",
    )  # fmt: skip
    max_images: int = setting(6, "Total number of volumes, if none are named.", ge=1)


def run(target: "AnalysisTarget", settings: SlicesSettings, on_progress: Progress) -> "Findings":
    """Draw each volume as three slices with its Grad-CAM over them."""
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import predicted_records, select_images
    from convscope.analysis.volume_slices import map_layer, slice_sheet, volume_maps

    volumes = select_images(target, settings)
    predicted, records = predicted_records(target, volumes)
    layer = settings.layers[0] if settings.layers else map_layer(target, volumes)
    maps = volume_maps(target.model, target.input(volumes), layer, predicted)
    on_progress(1, 1)
    numbers = [
        {**record, "slices": one.slices, "largest": float(one.values.max())}
        for record, one in zip(records, maps, strict=True)
    ]
    sentence = f"Grad-CAM of {layer} for the predicted class of {len(volumes)} volumes"
    return Findings({"slices": slice_sheet(volumes, maps, numbers)}, {"layer": layer, "examples": numbers}, (sentence,))


METHOD = Method(
    name="slices",
    title="Slices",
    summary="Volumes as three slices under a heat map of what supports the predicted class (Grad-CAM).",
    details="The slices are those through the largest value of the map. Example: --images mistakes --per-class 8.",
    limitations="Limitations: a map has the resolution of its layer; it shows which positions matter, not why.",
    settings=SlicesSettings,
    run=run,
    task_with_classes=True,
    rank=3,
)

"""Activation maps of a few fixed images, from epoch to epoch."""

from typing import TYPE_CHECKING

from convscope.analysis.method import Method, MethodSettings, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class OverTimeSettings(MethodSettings, frozen=True):
    """Settings of `over_time`."""

    layers: tuple[str, ...] = setting(
        (), "Layer names, as convscope inspect RUN prints them.", auto="the stages", widget="layers"
    )
    channels: tuple[int, ...] = setting((), "Channel numbers.", auto="all recorded", widget="channels")
    images: tuple[str, ...] = setting((), "Probe images by name or class.", auto="all", widget="images")
    probe: int | None = setting(None, "One probe image by its number.", auto="all", ge=0)


def run(target: "AnalysisTarget", settings: OverTimeSettings, on_progress: Progress) -> "Findings":
    """Draw a strip per stage and probe, a row per channel and a column per epoch, and an animation."""
    from convscope.analysis.probe_strips import (
        animation,
        chosen_probes,
        probes_of,
        recorded_layers,
        settled_epoch,
        some_channels,
        strip_sheet,
    )
    from convscope.analysis.result import Findings
    from convscope.explainers import read_snapshots

    folder = target.home.parent / "probes"
    recorded = probes_of(folder)
    layers = recorded_layers(recorded, settings.layers)
    probes = chosen_probes(target, settings.probe, settings.images, recorded["names"])
    pictures, files, numbers, summary = {}, {}, [], []
    for done, layer in enumerate(layers, 1):
        found = some_channels(read_snapshots(folder, layer), settings.channels)
        for probe in probes:
            pictures[f"{layer}.{probe}"] = strip_sheet(target, found, probe, recorded["names"][probe])
            files[f"{layer}.{probe}.gif"] = animation(found, probe)
        numbers.append(found.to_json())
        summary.append(settled_epoch(found))
        on_progress(done, len(layers))
    return Findings(pictures, {"probes": recorded["names"], "layers": numbers}, tuple(summary), files)


METHOD = Method(
    name="over_time",
    title="Maps over time",
    summary="How the activation maps of a few fixed images changed over the epochs: a strip and an animation per "
    "stage.",
    limitations="Limitations: a channel that does not change may have converged, or was never used.",
    settings=OverTimeSettings,
    run=run,
)

"""The verb: look into a run, a saved model or any module, and keep what was seen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from convscope.analysis import settings as looks
from convscope.analysis.attribution import attribution_maps
from convscope.analysis.class_images import class_images
from convscope.analysis.feature_visualization import maximise_images
from convscope.analysis.hierarchy import hierarchy
from convscope.analysis.inversion import invert_images
from convscope.analysis.maps import activation_maps, filter_images
from convscope.analysis.neighbours import nearest_images
from convscope.analysis.overtime import maps_over_time
from convscope.analysis.pointing import pointing_game_scores
from convscope.analysis.result import AnalysisFunction, AnalysisResult, write_result
from convscope.analysis.sanity import randomisation_test
from convscope.analysis.suggestions import suggest_designs
from convscope.analysis.target import AnalysisTarget, open_target
from convscope.analysis.top_patches import top_patches
from convscope.errors import ConfigError, did_you_mean
from convscope.progress import Progress


@dataclass(frozen=True)
class AnalysisMethod:
    """A way of looking, and what may be said of it."""

    analyse: AnalysisFunction
    settings: type[looks.MethodSettings]


METHODS: dict[str, AnalysisMethod] = {
    "activations": AnalysisMethod(activation_maps, looks.ActivationsSettings),
    "filters": AnalysisMethod(filter_images, looks.FiltersSettings),
    "stimuli": AnalysisMethod(top_patches, looks.StimuliSettings),
    "where": AnalysisMethod(attribution_maps, looks.AttributionSettings),
    "invert": AnalysisMethod(invert_images, looks.InvertSettings),
    "maximise": AnalysisMethod(maximise_images, looks.MaximiseSettings),
    "class": AnalysisMethod(class_images, looks.ClassSettings),
    "neighbours": AnalysisMethod(nearest_images, looks.NeighboursSettings),
    "hierarchy": AnalysisMethod(hierarchy, looks.HierarchySettings),
    "overtime": AnalysisMethod(maps_over_time, looks.OvertimeSettings),
    "designs": AnalysisMethod(suggest_designs, looks.DesignsSettings),
    "sanity": AnalysisMethod(randomisation_test, looks.SanitySettings),
    "pointing": AnalysisMethod(pointing_game_scores, looks.PointingSettings),
}


def explain(
    target: AnalysisTarget | str | Path,
    method: str,
    settings: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> AnalysisResult:
    """Look into a network and write pictures and numbers.

    Equal seeds give equal JSON to the byte on the same machine and versions (on a GPU, painted pictures may differ in
    their last digits).

    Args:
        target: a run's or a saved model's folder, or a `AnalysisTarget` from `wrap_module`.
        method: one of `METHODS`.
        settings: settings of the method's look, see `convscope.analysis.settings`.
        on_progress: called with what is done, and of how much.
    Raises:
        ConfigError: no such method or setting, or a value that does not fit.
        ConvscopeError: as its subclasses say.
    """
    if method not in METHODS:
        raise ConfigError(f"explain: no method {method}{did_you_mean(method, METHODS)}")
    entry = METHODS[method]
    chosen = _parse_settings(method, entry.settings, settings or {})
    subject = target if isinstance(target, AnalysisTarget) else open_target(Path(target))
    folder = chosen.out or subject.home / method
    with subject.class_scores_only():
        findings = entry.analyse(subject, chosen, on_progress or (lambda _done, _of: None))
    content = chosen.model_dump(mode="json", exclude={"out"})
    return write_result(findings, method, content, folder)


def _parse_settings(
    method: str, settings_class: type[looks.MethodSettings], settings: Mapping[str, Any]
) -> looks.MethodSettings:
    try:
        return settings_class.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise ConfigError(
                f"explain {method}: no setting {name}{did_you_mean(name, settings_class.model_fields)}"
            ) from None
        if first["type"] == "literal_error":
            known = re.findall(r"'([^']+)'", first["ctx"]["expected"])
            meant = did_you_mean(str(first["input"]), known)
            raise ConfigError(f"explain {method}: {name} is {first['input']!r}{meant}") from None
        why = first["msg"].replace("Input ", "it ", 1)
        raise ConfigError(f"explain {method}: {name} is {first['input']!r}; {why}") from None

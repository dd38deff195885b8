"""The verb: look into a run, a saved model or any module, and keep what was seen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from convscope.analysis import settings as looks
from convscope.analysis.attribution import see_where
from convscope.analysis.class_images import see_class
from convscope.analysis.feature_visualization import see_maximise
from convscope.analysis.hierarchy import see_hierarchy
from convscope.analysis.inversion import see_invert
from convscope.analysis.maps import see_activations, see_filters
from convscope.analysis.neighbours import see_neighbours
from convscope.analysis.overtime import see_overtime
from convscope.analysis.pointing import see_pointing
from convscope.analysis.result import Seen, Way, write
from convscope.analysis.sanity import see_sanity
from convscope.analysis.suggestions import see_designs
from convscope.analysis.target import Subject, opened
from convscope.analysis.top_patches import see_stimuli
from convscope.errors import ConfigError, did_you_mean
from convscope.progress import Progress


@dataclass(frozen=True)
class Method:
    """A way of looking, and what may be said of it."""

    see: Way
    look: type[looks.Look]


METHODS: dict[str, Method] = {
    "activations": Method(see_activations, looks.ActivationsLook),
    "filters": Method(see_filters, looks.FiltersLook),
    "stimuli": Method(see_stimuli, looks.StimuliLook),
    "where": Method(see_where, looks.WhereLook),
    "invert": Method(see_invert, looks.InvertLook),
    "maximise": Method(see_maximise, looks.PaintLook),
    "class": Method(see_class, looks.ClassLook),
    "neighbours": Method(see_neighbours, looks.NeighboursLook),
    "hierarchy": Method(see_hierarchy, looks.HierarchyLook),
    "overtime": Method(see_overtime, looks.OvertimeLook),
    "designs": Method(see_designs, looks.DesignsLook),
    "sanity": Method(see_sanity, looks.SanityLook),
    "pointing": Method(see_pointing, looks.PointingLook),
}


def explain(
    what: Subject | str | Path,
    method: str,
    said: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> Seen:
    """Look into a network and write pictures and numbers.

    Equal seeds give equal JSON to the byte on the same machine and versions (on a GPU, painted pictures may differ in
    their last digits).

    Args:
        what: a run's or a saved model's folder, or a `Subject` from `own_module`.
        method: one of `METHODS`.
        said: settings of the method's look, see `convscope.analysis.settings`.
        on_progress: called with what is done, and of how much.
    Raises:
        ConfigError: no such method or setting, or a value that does not fit.
        ConvscopeError: as its subclasses say.
    """
    if method not in METHODS:
        raise ConfigError(f"explain: no method {method}{did_you_mean(method, METHODS)}")
    way = METHODS[method]
    look = _look(method, way.look, said or {})
    subject = what if isinstance(what, Subject) else opened(Path(what))
    folder = look.out or subject.home / method
    with subject.naming_classes():
        findings = way.see(subject, look, on_progress or (lambda _done, _of: None))
    content = look.model_dump(mode="json", exclude={"out"})
    return write(findings, method, content, folder)


def _look(method: str, kind: type[looks.Look], said: Mapping[str, Any]) -> looks.Look:
    try:
        return kind.model_validate(dict(said))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"explain {method}: no setting {name}{did_you_mean(name, kind.model_fields)}") from None
        if first["type"] == "literal_error":
            known = re.findall(r"'([^']+)'", first["ctx"]["expected"])
            meant = did_you_mean(str(first["input"]), known)
            raise ConfigError(f"explain {method}: {name} is {first['input']!r}{meant}") from None
        why = first["msg"].replace("Input ", "it ", 1)
        raise ConfigError(f"explain {method}: {name} is {first['input']!r}; {why}") from None
